"""A filter for pixforge: corners that fade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Stream


class PlaceholderConfig(pixforge.FilterConfig):
    """What a recipe may say: `{type: placeholder, strength: 0.5}`."""

    type: Literal["placeholder"] = "placeholder"
    strength: float = Field(0.8, ge=0, le=1, description="How dark the corners become.")


class Placeholder(pixforge.Filter[PlaceholderConfig]):
    """Darkens the picture with the square of the distance from its middle."""

    saved: ClassVar[bool] = True  # part of what is saved; with False, only perceptors and losses see it

    def __init__(self, config: PlaceholderConfig, context: pixforge.RunContext) -> None:
        import torch

        super().__init__(config, context)
        y = torch.linspace(-1, 1, context.height, device=context.device)[:, None]
        x = torch.linspace(-1, 1, context.width, device=context.device)
        self._light = 1 - config.strength * (x.square() + y.square()) / 2

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """`[B, 3, H, W]` in [0, 1] to the same, differentiable."""
        return images * self._light


@pixforge.hookimpl
def pixforge_filters() -> list[type[pixforge.Filter[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
