"""Pictures of one shape into another, whole."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import Tensor


def fitted(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize `[B, 3, h, w]` to the largest size inside `size` (width, height), and pad by repeating the border."""
    width, height = size
    scale = min(width / pictures.shape[-1], height / pictures.shape[-2])
    wide, high = (max(1, round(side * scale)) for side in (pictures.shape[-1], pictures.shape[-2]))
    left, top = (width - wide) // 2, (height - high) // 2
    around = (left, width - wide - left, top, height - high - top)
    resized = F.interpolate(pictures, (high, wide), mode="bicubic", antialias=True, align_corners=False)
    return F.pad(resized.clamp(0, 1), around, mode="replicate")


def middle(pictures: Tensor) -> Tensor:
    """The middle square of `[B, C, h, w]`."""
    side = min(pictures.shape[-2:])
    top, left = (pictures.shape[-2] - side) // 2, (pictures.shape[-1] - side) // 2
    return pictures[..., top : top + side, left : left + side]
