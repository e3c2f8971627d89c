"""What a cutout strategy says about the cutouts of one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PADDINGS = ("reflection", "border", "wrap", "gray")
"""What a cutout shows where it reaches beyond the picture: its mirror image, its outermost pixels, its repetition, or gray."""


@dataclass(frozen=True)
class Placement:
    """Where the cutouts lie, and what they show.

    `boxes` `[B, K, 3, 3]` are homographies from a cutout's [-1, 1] x [-1, 1] to the picture's; `padding` is one of
    `PADDINGS`, or one for each of the K; `gray` `[B, K]` in [0, 1] is the level of the padding `gray` (a half without
    it); `colors` `[B, K, 3, 4]` is a 3x3 matrix and an offset that map RGB to RGB, before all augmentations.
    """

    boxes: torch.Tensor
    padding: str | Sequence[str] = "reflection"
    gray: torch.Tensor | None = None
    colors: torch.Tensor | None = None
