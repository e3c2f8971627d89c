"""Augmentations: random changes of the cutouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pixforge.contracts.component import C, Component
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class Augmentation(Component[C]):
    """Changes the cutouts at random before a perceptor sees them; a subclass overrides one or more of three methods.

    The engine combines all `warp` matrices with the cutout into one resampling, and all `color` matrices into one
    product; only `apply` costs a pass of its own over the pixels. So all geometry comes first, then all colors, then
    every `apply` in the order of the recipe. Take random numbers only from `draws`. In `warp` and `color` they are
    drawn on the host, so that the matrices are the same for every device; in `apply` they are drawn on the device.
    """

    kind = "augmentation"

    def warp(self, draws: Stream, count: int, step: int) -> torch.Tensor | None:  # noqa: ARG002
        """Homographies `[B, K, 3, 3]` from the augmented cutout to the cutout, both in [-1, 1] x [-1, 1], or None."""
        return None

    def color(self, draws: Stream, count: int, step: int) -> torch.Tensor | None:  # noqa: ARG002
        """Color matrices `[B, K, 3, 4]`, a 3x3 matrix and an offset that map RGB to RGB, or None."""
        return None

    def apply(self, cutouts: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """Change the pixels of cutouts `[B, K, 3, S, S]` and keep their shape; must be differentiable."""
        return cutouts
