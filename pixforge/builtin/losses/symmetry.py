"""Symmetry: one half mirrors the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.contracts import Loss, LossConfig, View

if TYPE_CHECKING:
    import torch


class SymmetryConfig(LossConfig):
    """Which axis."""

    type: Literal["symmetry"] = "symmetry"
    axis: Literal["vertical", "horizontal", "both"] = Field(
        "vertical", description="The axis that mirrors: vertical makes left equal right."
    )


class Symmetry(Loss[SymmetryConfig]):
    """The mean squared difference between the picture and its mirror image."""

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 for a symmetric picture; `both` is the mean of the two axes."""
        image = view.image
        axes = {"vertical": [-1], "horizontal": [-2], "both": [-1, -2]}[self.config.axis]
        errors = [view.mean((image - image.flip(axis)).square()) for axis in axes]
        return sum(errors[1:], errors[0]) / len(errors)
