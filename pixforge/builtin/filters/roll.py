"""Seamless tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Filter, FilterConfig
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class RollConfig(FilterConfig):
    """Which edges meet."""

    type: Literal["roll"] = "roll"
    axis: Literal["both", "horizontal", "vertical"] = Field(
        "both", description="horizontal: left meets right; vertical: top meets bottom."
    )


class Roll(Filter[RollConfig]):
    """Shifts what perceptors and losses see by a random distance around the edges, so that the picture tiles.

    What is saved stays in place.
    """

    saved: ClassVar[bool] = False
    moves: ClassVar[bool] = True

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """Gather rows and columns at shifted places; the shift of each canvas stays on the device."""
        import torch

        height, width = images.shape[-2:]
        down, right = draws.rand(2).unbind(dim=1)
        if self.config.axis != "horizontal":
            rows = (torch.arange(height, device=images.device) + (down * height).long()[:, None]) % height
            images = images.gather(2, rows[:, None, :, None].expand_as(images))
        if self.config.axis != "vertical":
            columns = (torch.arange(width, device=images.device) + (right * width).long()[:, None]) % width
            images = images.gather(3, columns[:, None, None, :].expand_as(images))
        return images
