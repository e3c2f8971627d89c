"""Brightness and contrast: how light the picture is, and how far its pixels spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Loss, LossConfig, Range, Schedule, View

if TYPE_CHECKING:
    import torch


class BrightnessConfig(LossConfig):
    """The level that is wanted."""

    type: Literal["brightness"] = "brightness"
    level: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.45), description="The mean of all channels that is wanted: 0 is black, 1 white."
    )


class Brightness(Loss[BrightnessConfig]):
    """Ten times the squared distance of the mean of all values from a level (aphantasia pulls to .45)."""

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when the mean is the level."""
        return 10 * (view.mean(view.image) - view.value(self.config.level)).square()


class ContrastConfig(LossConfig):
    """The spread that is wanted."""

    type: Literal["contrast"] = "contrast"
    level: Annotated[Schedule, Range(ge=0, le=0.5)] = Field(
        Schedule(0.17),
        description="The standard deviation of all values that is wanted; 0.5 is black and white.",
    )


class Contrast(Loss[ContrastConfig]):
    """Ten times the squared distance of the standard deviation of all values from a level (aphantasia pulls to .17)."""

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when the spread is the level."""
        mean = view.mean(view.image)[:, None, None, None]
        # The root's derivative is infinite at 0.
        spread = (view.mean((view.image - mean).square()) + 1e-6).sqrt()
        return 10 * (spread - view.value(self.config.level)).square()
