"""Blur pictures with a Gaussian."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses


def gaussian_blur(images: torch.Tensor, deviation: float, *, wrap: bool = False) -> torch.Tensor:
    """`[B, C, H, W]` blurred by a Gaussian of a standard deviation in pixels; 0 changes nothing.

    The kernel ends at three deviations. Outside, the outermost pixels go on, or with `wrap` the other side does.
    """
    if deviation <= 0:
        return images
    for dim in (-1, -2):
        reach = max(1, math.ceil(3 * deviation))
        # A kernel that is longer than a wrapped side would see its pixels twice.
        reach = min(reach, images.shape[dim]) if wrap else reach
        places = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
        kernel = torch.exp(-0.5 * (places / deviation).square())
        kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, -1)
        pad = (reach, reach, 0, 0) if dim == -1 else (0, 0, reach, reach)
        padded = F.pad(images, pad, mode="circular" if wrap else "replicate")
        weight = kernel.unsqueeze(2) if dim == -1 else kernel.unsqueeze(3)
        images = F.conv2d(padded, weight, groups=images.shape[1])
    return images
