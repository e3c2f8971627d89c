"""Mirror images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch


class FlipConfig(Config):
    """How often."""

    type: Literal["flip"] = "flip"
    horizontal: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.5), description="Share of the cutouts whose left and right change places."
    )
    vertical: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.0), description="Share of the cutouts that are turned upside down."
    )


class Flip(Augmentation[FlipConfig]):
    """Mirrors cutouts at random. Text and clocks want it off."""

    def warp(self, draws: Stream, count: int, step: int) -> torch.Tensor:
        """Diagonal matrices of signs."""
        import torch

        across, down = draws.rand(2, count).unbind(dim=1)
        x = 1 - 2 * (across < self.config.horizontal.at(step, self.scene.steps)).float()
        y = 1 - 2 * (down < self.config.vertical.at(step, self.scene.steps)).float()
        return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=-1))
