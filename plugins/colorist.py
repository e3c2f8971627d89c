"""An example of a plugin in one file: a perceptor that knows nothing of shapes, but the names of 148 colors.

It has no weights, so it is also the fastest way to see what a perceptor is. Beside a CLIP it keeps the colors pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import pixforge

if TYPE_CHECKING:
    import torch


class ColoristConfig(pixforge.PerceptorConfig):
    """It has nothing but its weight."""

    type: Literal["colorist"] = "colorist"


class Colorist(pixforge.Perceptor[ColoristConfig]):
    """Compares mean colors: of a cutout, and of the CSS colors that a prompt names (gray if it names none)."""

    @property
    def input_size(self) -> int:
        """It needs few pixels."""
        return 16

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """`[N, 3, 16, 16]` to `[N, 4]`."""
        return _embedded(images.mean(dim=(2, 3)))

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """P texts to `[P, 4]`."""
        import torch

        return _embedded(torch.tensor([_mean_color(text) for text in texts], device=self.context.device))


def _embedded(colors: torch.Tensor) -> torch.Tensor:
    """Colors around gray and a constant, which keeps the length above 0, as unit vectors."""
    from torch.nn import functional

    return functional.normalize(functional.pad(colors - 0.5, (0, 1), value=0.1), dim=-1)


def _mean_color(text: str) -> list[float]:
    from PIL import ImageColor

    words = [word for word in text.lower().split() if word in ImageColor.colormap]
    colors = [ImageColor.getrgb(word)[:3] for word in words] or [(127.5, 127.5, 127.5)]
    return [sum(channel) / len(colors) / 255 for channel in zip(*colors, strict=True)]


@pixforge.hookimpl
def pixforge_perceptors() -> list[type[pixforge.Perceptor[Any]]]:
    """The list that makes it known."""
    return [Colorist]
