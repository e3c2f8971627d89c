"""The result of a cutout strategy for one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PADDINGS = ("reflection", "border", "wrap", "gray", "black")
"""What a cutout shows outside the picture: its mirror image, its outermost pixels, its repetition, or gray."""


@dataclass(frozen=True)
class Placement:
    """The places of the cutouts, their padding and their colors.

    `boxes` `[B, K, 3, 3]` are homographies from a cutout's [-1, 1] x [-1, 1] to the picture's. `padding` is one of
    `PADDINGS`, or one for each of the K. `gray` `[B, K]` in [0, 1] is the level of the padding `gray`, by default 0.5.
    `colors` `[B, K, 3, 4]` holds 3x3 matrices and offsets that map RGB to RGB, before all augmentations.
    With `pooled`, the boxes lie in the whole picture after (mean + maximum) / 2 over S x S places.
    """

    boxes: torch.Tensor
    padding: str | Sequence[str] = "reflection"
    gray: torch.Tensor | None = None
    colors: torch.Tensor | None = None
    pooled: bool = False
