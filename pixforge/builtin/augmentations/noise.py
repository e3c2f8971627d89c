"""Noise on cutouts, so that faint detail does not influence the perceptor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


PLACES = 2**20
"""Number of positions in the stored noise at which a piece may begin."""


class NoiseConfig(Config):
    """The amount of noise."""

    type: Literal["noise"] = "noise"
    amount: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.1),
        description="Largest standard deviation; each cutout has its own between 0 and this.",
    )


class Noise(Augmentation[NoiseConfig]):
    """Adds U(0, amount) * N(0, 1) to each cutout, as VQGAN-CLIP does.

    The noise of a cutout is a random piece of one long stored row of normal numbers, because drawing new numbers for
    every cutout would take longer than sampling the cutouts.
    """

    _row: torch.Tensor | None = None

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:
        """Add noise. Values may leave [0, 1]: clamping would remove the gradient of very bright and dark pixels."""
        import torch

        amount = self.context.value(self.config.amount, step)
        count, needed = cutouts.shape[1], cutouts[0, 0].numel()
        deviation = draws.uniform(0.0, amount, count, 1, 1, 1)
        first = (draws.rand(count) * PLACES).long()
        pieces = self._numbers(needed, cutouts.device).as_strided((PLACES, needed), (1, 1))
        return torch.addcmul(cutouts, deviation, pieces[first].view_as(cutouts))

    def _numbers(self, needed: int, device: torch.device) -> torch.Tensor:
        """The stored row; it is the same in every run, so that a resumed run or a single canvas sees the same noise."""
        import torch

        if self._row is None or len(self._row) < PLACES + needed:
            self._row = torch.randn(PLACES + needed, generator=torch.Generator().manual_seed(0)).to(device)
        return self._row
