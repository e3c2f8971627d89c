"""Which color of a palette lies nearest to each pixel."""

from __future__ import annotations

import torch

_AT_ONCE = 2**22
"""Distances that are held at once, so that a large palette takes no more memory than a small one."""


@torch.no_grad()
def nearest(pixels: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
    """`[N]` indices into a palette `[n, 3]` of the color with the least Euclidean distance from each of `[N, 3]`."""
    # |p|^2 is the same for all colors of a pixel, so it needs no computing.
    squares = palette.square().sum(dim=1)
    parts = torch.split(pixels.detach(), max(1, _AT_ONCE // len(palette)))
    return torch.cat([(squares - 2 * part @ palette.T).argmin(dim=1) for part in parts])


def nearest_colors(images: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
    """`[B, 3, H, W]`: for each pixel of such pictures the nearest color of `[n, 3]`, without gradient."""
    flat = images.permute(0, 2, 3, 1)
    chosen = palette[nearest(flat.reshape(-1, 3), palette)]
    return chosen.view(flat.shape).permute(0, 3, 1, 2)
