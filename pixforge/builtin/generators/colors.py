"""From decorrelated colors to sRGB and back."""

from __future__ import annotations

import torch

from pixforge.contracts.constants import constant

# Square root of the color covariance of natural pictures as published by lucid, divided by its largest column norm:
# the three latent channels are roughly lightness, blue-yellow and green-magenta, and move independently.
_SQUARE_ROOT = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
# Away from 0 and 1, where the inverse of the sigmoid is infinite; below half a step of 8 bits.
EDGE = 1 / 600


def color_matrix(device: torch.device) -> torch.Tensor:
    """`[3, 3]`: decorrelated channels to the logits of RGB."""
    matrix = constant(_SQUARE_ROOT, device)
    scaled: torch.Tensor = matrix / torch.linalg.vector_norm(matrix, dim=0).max()
    return scaled


def to_rgb(latent: torch.Tensor) -> torch.Tensor:
    """`[B, 3, H, W]` decorrelated logits to sRGB in (0, 1)."""
    return torch.einsum("ij,bjhw->bihw", color_matrix(latent.device), latent).sigmoid()


def from_rgb(image: torch.Tensor) -> torch.Tensor:
    """The inverse of `to_rgb`, to within 1/600."""
    return torch.einsum(
        "ij,bjhw->bihw", color_matrix(image.device).inverse(), image.clamp(EDGE, 1 - EDGE).logit()
    )
