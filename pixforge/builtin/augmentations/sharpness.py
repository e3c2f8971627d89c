"""Random sharpness of cutouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class SharpnessConfig(Config):
    """How much, and how often."""

    type: Literal["sharpness"] = "sharpness"
    amount: Annotated[Schedule, Range(ge=0, le=5)] = Field(
        Schedule(0.5),
        description="Largest share of the detail that is added, or taken away (at most all of it).",
    )
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.5), description="Share of cutouts that are changed."
    )


class Sharpness(Augmentation[SharpnessConfig]):
    """Sharpens or blurs cutouts by random amounts (VQGAN-CLIP's Sh, which only blurs)."""

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:
        """Add or take away the difference from a small blur."""
        from pixforge.builtin.blur import gaussian_blur

        count, most = cutouts.shape[1], self.context.value(self.config.amount, step)
        amount = draws.uniform(-min(most, 1.0), most, count)
        chosen = draws.rand(count) < self.context.value(self.config.probability, step)
        amount = (amount * chosen)[..., None, None, None]
        detail = cutouts - gaussian_blur(cutouts.flatten(0, 1), 1.0).view_as(cutouts)
        return (cutouts + detail * amount).clamp(0, 1)
