"""An example of a plugin in one file: an augmentation that shows the perceptors a mosaic of the cutout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Stream


class MosaicConfig(pixforge.Config):
    """How coarse."""

    type: Literal["mosaic"] = "mosaic"
    cell: int = Field(8, ge=2, le=64, strict=True, description="Pixels of the perceptor's input in a cell.")
    share: float = Field(0.5, ge=0, le=1, description="Share of the cutouts that become a mosaic.")


class Mosaic(pixforge.Augmentation[MosaicConfig]):
    """Some cutouts in squares of one color: the prompt must be seen in the large shapes, too."""

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """`[B, K, 3, S, S]` to the same."""
        import torch
        import torch.nn.functional as F  # noqa: N812

        flat = cutouts.flatten(0, 1)
        small = F.avg_pool2d(flat, self.config.cell, ceil_mode=True)
        large = F.interpolate(small, scale_factor=self.config.cell, mode="nearest")
        coarse = large[..., : cutouts.shape[-2], : cutouts.shape[-1]].unflatten(0, cutouts.shape[:2])
        chosen = draws.rand(cutouts.shape[1], 1, 1, 1) < self.config.share
        return torch.where(chosen, coarse, cutouts)


@pixforge.hookimpl
def pixforge_augmentations() -> list[type[pixforge.Augmentation[Any]]]:
    """The list that makes it known."""
    return [Mosaic]
