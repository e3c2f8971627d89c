"""Noise, so that detail too fine to be seen counts for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch


PLACES = 2**20
"""Where a piece may begin."""


class NoiseConfig(Config):
    """How much."""

    type: Literal["noise"] = "noise"
    amount: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.1), description="Largest deviation; each cutout has its own between 0 and this."
    )


class Noise(Augmentation[NoiseConfig]):
    """Adds U(0, amount) * N(0, 1) to each cutout, as VQGAN-CLIP does.

    The normal numbers are pieces of one long row of them, cut at random: drawing all of them anew takes longer than
    sampling the cutouts.
    """

    _row: torch.Tensor | None = None

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:
        """Values may leave [0, 1]; clamping them would take the gradient from bright and dark places."""
        import torch

        amount = self.config.amount.at(step, self.scene.steps)
        count, needed = cutouts.shape[1], cutouts[0, 0].numel()
        deviation = draws.uniform(0.0, amount, count, 1, 1, 1)
        first = (draws.rand(count) * PLACES).long()
        pieces = self._numbers(needed, cutouts.device).as_strided((PLACES, needed), (1, 1))
        return torch.addcmul(cutouts, deviation, pieces[first].view_as(cutouts))

    def _numbers(self, needed: int, device: torch.device) -> torch.Tensor:
        """The same in every run, so that a canvas and a continued run find theirs again."""
        import torch

        if self._row is None or len(self._row) < PLACES + needed:
            self._row = torch.randn(PLACES + needed, generator=torch.Generator().manual_seed(0)).to(device)
        return self._row
