"""A perceptor for pixforge that knows nothing but colors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class PlaceholderConfig(pixforge.PerceptorConfig):
    """What a recipe may say: `{type: placeholder, input_size: 32}`."""

    type: Literal["placeholder"] = "placeholder"
    input_size: int = Field(
        16, ge=4, le=512, strict=True, description="Width and height of what it looks at."
    )


class Placeholder(pixforge.Perceptor[PlaceholderConfig]):
    """Embeds a picture as its mean color, and a text as the first color that it names (`a red fox`), else gray.

    A real one loads a frozen network in `__init__`, in `self.context.dtype` and on `self.context.device`, calls `eval()`
    and `requires_grad_(False)` on it, and tells name and SHA-256 of its weights in `provenance`.
    """

    @property
    def input_size(self) -> int:
        """S: `encode_image` gets pictures of S x S pixels."""
        return self.config.input_size

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """`[N, 3, S, S]` in [0, 1] to unit vectors `[N, D]`, float32; gradient flows to the pictures."""
        return _embedded(images.mean(dim=(2, 3)))

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """P texts to unit vectors `[P, D]`, float32, without gradient."""
        import torch

        return _embedded(torch.tensor([_color(text) for text in texts], device=self.context.device))


def _embedded(colors: torch.Tensor) -> torch.Tensor:
    """Colors `[N, 3]` around gray, and a constant that keeps the length above 0: `[N, 4]`."""
    from torch.nn import functional

    return functional.normalize(functional.pad(colors - 0.5, (0, 1), value=0.1), dim=-1)


def _color(text: str) -> tuple[float, float, float]:
    from PIL import ImageColor

    for word in text.lower().split():
        if word in ImageColor.colormap:
            red, green, blue = ImageColor.getrgb(word)[:3]
            return red / 255, green / 255, blue / 255
    return 0.5, 0.5, 0.5


@pixforge.hookimpl
def pixforge_perceptors() -> list[type[pixforge.Perceptor[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
