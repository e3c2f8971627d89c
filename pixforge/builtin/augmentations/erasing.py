"""Covers random rectangles of cutouts, so that the prompt is not matched by a single detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class ErasingConfig(Config):
    """How often rectangles are covered, and how large they are."""

    type: Literal["erasing"] = "erasing"
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.7), description="Share of cutouts in which a rectangle is covered."
    )
    smallest: float = Field(
        0.1, gt=0, le=1, description="Smallest rectangle, as a share of the cutout's area."
    )
    largest: float = Field(0.4, gt=0, le=1, description="Largest rectangle, as a share of the cutout's area.")


class Erasing(Augmentation[ErasingConfig]):
    """Covers one random rectangle of each cutout with a random flat color (Zhong et al. 2017)."""

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:
        """Cover the rectangles; the gradient of the covered pixels is zero."""
        import torch

        count, size = cutouts.shape[1], cutouts.shape[-1]
        applied = draws.rand(count) < self.context.value(self.config.probability, step)
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
