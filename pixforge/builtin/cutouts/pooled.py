"""The whole picture, pooled to the perceptor's size, as every cutout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.builtin.cutouts.placed import Placed
from pixforge.contracts import Config, Placement
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class PooledConfig(Config):
    """Number of the cutouts."""

    type: Literal["pooled"] = "pooled"
    count: int = Field(32, ge=1, le=4096, strict=True, description="Cutouts of each picture in each step.")
    padding: Literal["reflection", "border", "gray", "black"] = Field(
        "border", description="What augmentations show outside the picture."
    )


class Pooled(Placed[PooledConfig]):
    """(mean + maximum) / 2 of the whole picture for each of S x S places (VQGAN-CLIP's `latest`, its default).

    Only augmentations tell the cutouts apart. Pictures of other proportions are squeezed, and nothing finer than a
    place reaches the perceptor.
    """

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:  # noqa: ARG002
        """The identity for every cutout."""
        import torch

        batch = draws.rand(1).shape[0]
        whole: torch.Tensor = torch.eye(3).expand(batch, self.config.count, 3, 3)
        return Placement(whole, self.config.padding, pooled=True)
