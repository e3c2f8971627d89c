"""An augmentation for pixforge: cutouts of random brightness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Stream


class PlaceholderConfig(pixforge.Config):
    """What a recipe may say: `{type: placeholder, amount: 0.3}`."""

    type: Literal["placeholder"] = "placeholder"
    amount: float = Field(0.2, ge=0, le=1, description="How much brighter or darker at most.")


class Placeholder(pixforge.Augmentation[PlaceholderConfig]):
    """Multiplies each cutout by a random number around 1.

    Geometry goes into `warp`, colors into `color`, which cost next to nothing; only what works on the pixels
    themselves goes into `apply`.
    """

    def color(self, draws: Stream, count: int, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """`[B, K, 3, 4]`: for each cutout a 3 x 3 matrix for red, green and blue, and an offset."""
        import torch

        factor = draws.uniform(1 - self.config.amount, 1 + self.config.amount, count, 1, 1)
        return factor * torch.eye(3, 4, device=factor.device)


@pixforge.hookimpl
def pixforge_augmentations() -> list[type[pixforge.Augmentation[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
