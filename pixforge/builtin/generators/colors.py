"""Convert decorrelated colors to sRGB and back."""

from __future__ import annotations

import torch

from pixforge.contracts.constants import constant

# Square root of the color covariance of natural pictures, as published by lucid; `color_matrix` divides it by its
# largest column norm. The latent channels are about lightness, blue-yellow and green-magenta, and are uncorrelated.
_SQUARE_ROOT = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
# Distance to 0 and 1, where the logit is infinite; less than half a step of 8 bits.
EDGE = 1 / 600


def with_channels(image: torch.Tensor, channels: int) -> torch.Tensor:
    """`[B, 3, H, W]` or `[B, 4, H, W]` with that many channels: an alpha channel that is added is opaque."""
    if image.shape[1] < channels:
        return torch.cat([image, torch.ones_like(image[:, :1])], dim=1)
    return image[:, :channels]


def color_matrix(device: torch.device, saturation: float = 1.0, *, raised: bool = False) -> torch.Tensor:
    """The matrix `[3, 3]` from decorrelated channels to the logits of RGB.

    Lightness is divided by the saturation, as aphantasia does, so that colors come out stronger. With `raised` this comes
    before the division by the largest column norm, as in aphantasia: lightness stays, and the other channels grow.
    """
    matrix = constant(_SQUARE_ROOT, device)
    norm = torch.linalg.vector_norm(matrix, dim=0).max()
    if saturation != 1:
        matrix = torch.cat([matrix[:, :1] / saturation, matrix[:, 1:]], dim=1)
    if raised:
        norm = torch.linalg.vector_norm(matrix, dim=0).max()
    scaled: torch.Tensor = matrix / norm
    return scaled


def to_rgb(latent: torch.Tensor, saturation: float = 1.0, *, raised: bool = False) -> torch.Tensor:
    """Convert decorrelated logits `[B, 3, H, W]` to sRGB in (0, 1)."""
    matrix = color_matrix(latent.device, saturation, raised=raised)
    return torch.einsum("ij,bjhw->bihw", matrix, latent).sigmoid()


def from_rgb(image: torch.Tensor, saturation: float = 1.0, *, raised: bool = False) -> torch.Tensor:
    """The inverse of `to_rgb`, to within 1/600."""
    matrix = color_matrix(image.device, saturation, raised=raised).inverse()
    return torch.einsum("ij,bjhw->bihw", matrix, image.clamp(EDGE, 1 - EDGE).logit())
