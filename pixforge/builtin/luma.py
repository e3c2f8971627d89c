"""Lightness of colors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue: ITU-R BT.601, as usual for gamma-encoded RGB."""


def luma(images: torch.Tensor) -> torch.Tensor:
    """`[B, 1, H, W]` of pictures `[B, C, H, W]`, of which the first three channels are red, green and blue."""
    red, green, blue = images[:, :3].unbind(dim=1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue).unsqueeze(1)
