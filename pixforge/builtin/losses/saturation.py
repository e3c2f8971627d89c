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
        red, green, blue = view.image[:, :3].unbind(dim=1)
        first = red - green
        second = (red + green) / 2 - blue
        means = [view.mean(each) for each in (first, second)]
        spread = _variance(view, first, means[0]) + _variance(view, second, means[1]) + _EPSILON
        middle = means[0].square() + means[1].square() + _EPSILON
        return -(spread.sqrt() + 0.3 * middle.sqrt())


def _variance(view: View, values: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """`[B]`, over the region of the loss, or the whole picture."""
    if view.mask is None:
        return values.var(dim=(1, 2))
    return view.mean((values - mean[:, None, None]).square())
