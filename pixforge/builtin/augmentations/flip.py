"""Random mirroring of cutouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class FlipConfig(Config):
    """How often cutouts are mirrored."""

    type: Literal["flip"] = "flip"
    horizontal: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.5), description="Share of cutouts that are mirrored left to right."
    )
    vertical: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.0), description="Share of cutouts that are mirrored top to bottom."
    )


class Flip(Augmentation[FlipConfig]):
    """Mirrors cutouts at random. Turn it off for pictures with text or clocks."""

    def warp(self, draws: Stream, count: int, step: int) -> torch.Tensor:
        """The matrices `[B, K, 3, 3]`, diagonal with entries 1 and -1."""
        import torch

        across, down = draws.rand(2, count).unbind(dim=1)
        x = 1 - 2 * (across < self.context.value(self.config.horizontal, step)).float()
        y = 1 - 2 * (down < self.context.value(self.config.vertical, step)).float()
        return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=-1))
