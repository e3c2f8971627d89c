"""Total variation: neighbors should be alike, and large steps cost most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.contracts import Loss, LossConfig, View

if TYPE_CHECKING:
    import torch


class TotalVariationConfig(LossConfig):
    """How differences are counted."""

    type: Literal["total_variation"] = "total_variation"
    form: Literal["squared", "absolute"] = Field(
        "squared",
        description="squared: large steps cost most (disco, pytti); absolute: edges may stay sharp.",
    )


class TotalVariation(Loss[TotalVariationConfig]):
    """The mean of the squared (or absolute) differences to the right and to the lower neighbor, added.

    Multiplied by the longer side over 256, so that a weight means about the same at any size.
    """

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 for a flat picture."""
        image = view.image
        down = image[..., 1:, :] - image[..., :-1, :]
        right = image[..., :, 1:] - image[..., :, :-1]
        parts = []
        for difference, dim in ((down, -2), (right, -1)):
            cost = difference.square() if self.config.form == "squared" else difference.abs()
            parts.append(_mean(view, cost, dim))
        return (parts[0] + parts[1]) * (max(image.shape[-2:]) / 256)


def _mean(view: View, cost: torch.Tensor, dim: int) -> torch.Tensor:
    """`[B]`; with a region, over the pairs whose two pixels lie inside."""
    if view.mask is None:
        return cost.mean(dim=(1, 2, 3))
    mask = view.mask
    length = cost.shape[dim]
    inside = mask.narrow(dim, 0, length) * mask.narrow(dim, 1, length)
    return (cost * inside).sum(dim=(1, 2, 3)) / (cost.shape[1] * inside.sum()).clamp(min=1e-6)
