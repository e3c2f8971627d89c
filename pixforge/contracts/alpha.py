"""Pictures with an alpha channel: `[B, 4, H, W]`, red, green, blue and alpha in [0, 1], not multiplied with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

COLORS = 3
WITH_ALPHA = 4
WHITE = 1.0
MIDDLE = 0.5


def has_alpha(images: torch.Tensor) -> bool:
    """Whether pictures `[B, C, H, W]` have an alpha channel."""
    return images.shape[1] == WITH_ALPHA


def premultiplied(images: torch.Tensor) -> torch.Tensor:
    """`[B, 4, H, W]` with colors times alpha, as resampling needs it: transparent pixels then have no color."""
    import torch

    alpha = images[:, COLORS:]
    return torch.cat([images[:, :COLORS] * alpha, alpha], dim=1)


def recolored(images: torch.Tensor, colors: torch.Tensor) -> torch.Tensor:
    """`[B, C, H, W]` with other colors `[B, 3, H, W]`; alpha, where there is any, stays."""
    import torch

    return torch.cat([colors, images[:, COLORS:]], dim=1) if has_alpha(images) else colors


def over(images: torch.Tensor, background: float) -> torch.Tensor:
    """`[B, 3, H, W]` over a gray level; pictures without alpha stay as they are."""
    if not has_alpha(images):
        return images
    colors, alpha = images[:, :COLORS], images[:, COLORS:]
    return background + (colors - background) * alpha
