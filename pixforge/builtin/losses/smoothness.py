"""Smoothness: neighbors should be alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.contracts import Loss, LossConfig, View

if TYPE_CHECKING:
    import torch


class SmoothnessConfig(LossConfig):
    """Which differences count."""

    type: Literal["smoothness"] = "smoothness"
    clip: float = Field(
        0.5,
        gt=0,
        le=2,
        description="Differences above this count as this much, so that real edges are free to be sharp.",
    )
    form: Literal["linear", "log"] = Field(
        "linear",
        description="linear: the mean length of the gradient; log: of log(1 + it), gentler on detail.",
    )


class Smoothness(Loss[SmoothnessConfig]):
    """The mean length of the color gradient between neighboring pixels, in units of the picture's range.

    Multiplied by the longer side over 256, so that a weight means the same at any size.
    """

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 for a flat picture."""
        from pixforge.builtin.losses.gradient_length import mean_length

        image, config = view.image, self.config
        length = mean_length(image, config.clip, log=config.form == "log")
        return length * (max(image.shape[-2:]) / 256)
