"""Noise, so that detail too fine to be seen counts for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch


class NoiseConfig(Config):
    """How much."""

    type: Literal["noise"] = "noise"
    amount: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.1), description="Largest deviation; each cutout has its own between 0 and this."
    )


class Noise(Augmentation[NoiseConfig]):
    """Adds U(0, amount) * N(0, 1) to each cutout, as VQGAN-CLIP does."""

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:
        """Values may leave [0, 1]; clamping them would take the gradient from bright and dark places."""
        amount = self.config.amount.at(step, self.scene.steps)
        deviation = draws.uniform(0.0, amount, cutouts.shape[1], 1, 1, 1)
        return cutouts + deviation * draws.randn(*cutouts.shape[1:])
