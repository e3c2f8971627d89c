"""Range: no large areas of pure black, white, or fully saturated color."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from pixforge.contracts import Loss, LossConfig, View

if TYPE_CHECKING:
    import torch


class RangeConfig(LossConfig):
    """The values that cost nothing."""

    type: Literal["range"] = "range"
    low: float = Field(0.05, ge=0, le=1, description="Channel values below this cost.")
    high: float = Field(0.95, ge=0, le=1, description="Channel values above this cost.")
    form: Literal["squared", "linear"] = Field(
        "squared", description="squared: far outside costs most; linear: as disco's sat_scale."
    )

    @model_validator(mode="after")
    def _ordered(self) -> RangeConfig:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        return self


class Range(Loss[RangeConfig]):
    """The mean squared distance of channel values from [low, high], in hundredths, or ten times the mean distance.

    Peers penalise values outside [0, 1], which a picture here never has; the ends of the range are where detail and
    gradient are lost.
    """

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when all values lie inside."""
        beyond = view.image - view.image.clamp(self.config.low, self.config.high)
        if self.config.form == "linear":
            return view.mean(beyond.abs()) * 10
        return view.mean(beyond.square()) * 100
