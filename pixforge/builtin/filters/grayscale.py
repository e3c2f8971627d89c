"""Black and white."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Filter, FilterConfig, Range, Schedule
from pixforge.contracts.alpha import recolored
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class GrayscaleConfig(FilterConfig):
    """How much."""

    type: Literal["grayscale"] = "grayscale"
    amount: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(1.0), description="0 leaves the colors, 1 takes them all."
    )


class Grayscale(Filter[GrayscaleConfig]):
    """Takes the color from the picture, the saved one included."""

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """Blend with the luma of ITU-R BT.601."""
        from pixforge.builtin.luma import luma

        amount = self.context.value(self.config.amount, step)
        colors = images[:, :3]
        return recolored(images, colors + (luma(images) - colors) * amount)
