"""Saturation: colorful pictures, or with a negative weight, pale ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pixforge.contracts import Loss, LossConfig, View

if TYPE_CHECKING:
    import torch

_EPSILON = 1e-8  # keeps the derivative of the roots finite for a gray picture


class SaturationConfig(LossConfig):
    """It has a weight only."""

    type: Literal["saturation"] = "saturation"


class Saturation(Loss[SaturationConfig]):
    """The negative colorfulness of Hasler and Suesstrunk (2003), with pictures in [0, 1] instead of [0, 255]."""

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 for gray, more negative for more color."""
        red, green, blue = view.image.unbind(dim=1)
        first = red - green
        second = (red + green) / 2 - blue
        spread = first.var(dim=(1, 2)) + second.var(dim=(1, 2)) + _EPSILON
        middle = first.mean(dim=(1, 2)).square() + second.mean(dim=(1, 2)).square() + _EPSILON
        return -(spread.sqrt() + 0.3 * middle.sqrt())
