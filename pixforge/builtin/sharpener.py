"""The network that ships: it enlarges four times and decides where an outline is."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import nn

FACTOR = 4
WIDTH = 32
BLOCKS = 8


class Sharpener(nn.Module):
    """A residual network of plain convolutions that adds detail to a bicubically enlarged picture.

    Sub-pixel convolution (Shi et al. 2016, arXiv 1609.05158) behind residual blocks without normalization (Lim et al. 2017,
    arXiv 1707.02921). 163,000 parameters; each pixel is told by the 37 x 37 around it.
    """

    scale = FACTOR

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.ReLU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
            )
            for _ in range(BLOCKS)
        )
        self.last = nn.Conv2d(WIDTH, 3 * FACTOR**2, 3, padding=1)
        # Before training, the picture is what bicubic enlarging makes.
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`[B, 3, 4 H, 4 W]` of `[B, 3, H, W]`, about [0, 1]."""
        hidden = self.first(images * 2 - 1)
        for block in self.blocks:
            hidden = hidden + block(hidden)
        plain = F.interpolate(images, scale_factor=FACTOR, mode="bicubic", align_corners=False)
        return plain + F.pixel_shuffle(self.last(hidden), FACTOR)
