"""Smoothness: neighbors should be alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.contracts import Loss, LossConfig, View

if TYPE_CHECKING:
    import torch

# Keeps the root's derivative finite where the picture is flat; a thousandth of an 8-bit step, squared.
_FLAT = 1e-11


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
        image = view.image
        down = image[:, :, 1:, :-1] - image[:, :, :-1, :-1]
        right = image[:, :, :-1, 1:] - image[:, :, :-1, :-1]
        length = (down.square() + right.square() + _FLAT).sqrt().clamp(max=self.config.clip)
        if self.config.form == "log":
            length = length.log1p()
        return length.mean(dim=(1, 2, 3)) * (max(image.shape[-2:]) / 256)
