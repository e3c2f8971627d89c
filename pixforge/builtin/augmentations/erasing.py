"""Covered parts, so that no single detail carries the whole picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch


class ErasingConfig(Config):
    """How often, how large."""

    type: Literal["erasing"] = "erasing"
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.7), description="Share of the cutouts that lose a rectangle."
    )
    smallest: float = Field(0.1, gt=0, le=1, description="Smallest share of the cutout's area.")
    largest: float = Field(0.4, gt=0, le=1, description="Largest share of the cutout's area.")


class Erasing(Augmentation[ErasingConfig]):
    """Covers one random rectangle of each cutout with a random flat color (Zhong et al. 2017)."""

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:
        """The gradient of the covered part is zero."""
        import torch

        count, size = cutouts.shape[1], cutouts.shape[-1]
        applied = draws.rand(count) < self.config.probability.at(step, self.scene.steps)
        area = draws.uniform(self.config.smallest, self.config.largest, count)
        stretch = draws.uniform(-0.6, 0.6, count).exp()  # ratio of the sides from .55 to 1.8
        width = (area * stretch).sqrt().clamp(max=1)
        height = (area / stretch).sqrt().clamp(max=1)
        left, top = draws.rand(count) * (1 - width), draws.rand(count) * (1 - height)
        place = (torch.arange(size, device=cutouts.device) + 0.5) / size
        across = (place >= left[..., None]) & (place < (left + width)[..., None])
        down = (place >= top[..., None]) & (place < (top + height)[..., None])
        covered = down[..., :, None] & across[..., None, :] & applied[..., None, None]
        return torch.where(covered.unsqueeze(2), draws.rand(count, 3, 1, 1), cutouts)
