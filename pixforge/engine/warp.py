"""Take all cutouts of all canvases with one resampling, antialiased, from one tensor.

Peers pool the whole picture once for each cutout and then run a chain of geometric augmentations. Here a cutout is a
homography from its own square to the picture; flips, rotations and perspective are matrices that multiply it. The
picture and its halvings lie below each other in one tensor (a mip atlas), and every cutout reads the level whose
pixels are about as large as its own, so that large cuts are not aliased and small ones keep their detail.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

from pixforge.contracts.constants import constant

CENTER = 0.5


def pyramid_levels(size: tuple[int, int], input_size: int) -> int:
    """How many levels a picture of (width, height) needs so that a cut of all of it is not aliased at S."""
    return 1 + max(0, round(math.log2(max(size) / input_size)))


def halve(images: torch.Tensor) -> torch.Tensor:
    """`[B, 3, H, W]` to half its size, rounded up, each pixel the mean of what it covers."""
    height, width = images.shape[-2:]
    if height % 2 == 0 and width % 2 == 0:
        return F.avg_pool2d(images, 2)
    target = ((height + 1) // 2, (width + 1) // 2)
    return F.interpolate(images, size=target, mode="bilinear", antialias=True, align_corners=False)


class Atlas:
    """A picture and its halvings in one tensor, to be sampled by homographies.

    Args:
        images: `[B, 3, H, W]`.
        levels: how many halvings, the picture itself included.
    """

    def __init__(self, images: torch.Tensor, levels: int) -> None:
        pictures = [images]
        while len(pictures) < levels:
            pictures.append(halve(pictures[-1]))
        self.size = (images.shape[-1], images.shape[-2])
        self.tensor = torch.cat([F.pad(p, (0, self.size[0] - p.shape[-1])) for p in pictures], dim=2)
        tops = [0]
        for picture in pictures:
            tops.append(tops[-1] + picture.shape[-2])
        self._tables = [
            [float(p.shape[-1]) for p in pictures],
            [float(p.shape[-2]) for p in pictures],
            [float(t) for t in tops[:-1]],
        ]

    def sample(self, matrices: torch.Tensor, input_size: int, padding: str) -> torch.Tensor:
        """Cutouts `[B, K, 3, S, S]` by homographies `[B, K, 3, 3]` from [-1, 1]^2 to the picture's [-1, 1]^2.

        What lies outside the picture is mirrored (`reflection`), stretched (`border`) or `gray`.
        """
        batch, count = matrices.shape[:2]
        share_x, share_y = self._places(matrices, input_size)
        width, height, top = self._levels(matrices, input_size)
        x = _inside(share_x, padding) * width - CENTER
        y = _inside(share_y, padding) * height - CENTER
        x = torch.minimum(x.clamp(min=0), width - 1)
        y = torch.minimum(y.clamp(min=0), height - 1) + top
        grid = torch.stack(
            [_normalized(x, self.tensor.shape[-1]), _normalized(y, self.tensor.shape[-2])], dim=-1
        )
        grid = grid.view(batch, count * input_size, input_size, 2)
        cut = F.grid_sample(self.tensor, grid, mode="bilinear", padding_mode="border", align_corners=True)
        cut = cut.view(batch, 3, count, input_size, input_size).transpose(1, 2)
        if padding != "gray":
            return cut.contiguous()
        outside = (share_x < 0) | (share_x > 1) | (share_y < 0) | (share_y > 1)
        return cut.masked_fill(outside.view(batch, count, 1, input_size, input_size), CENTER)

    def _places(self, matrices: torch.Tensor, input_size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Where each pixel of each cutout lies in the picture, as shares of width and height: two `[B, K, S*S]`."""
        line = (torch.arange(input_size, device=matrices.device) + CENTER) * (2 / input_size) - 1
        y, x = torch.meshgrid(line, line, indexing="ij")
        points = torch.stack([x, y, torch.ones_like(x)]).view(3, -1)
        place = matrices @ points
        depth = place[:, :, 2].clamp(
            min=1e-3
        )  # a point at or behind the horizon would turn the cutout inside out
        return place[:, :, 0] / depth * 0.5 + CENTER, place[:, :, 1] / depth * 0.5 + CENTER

    def _levels(
        self, matrices: torch.Tensor, input_size: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Width, height and top in the atlas of the level that each cutout reads: three `[B, K, 1]`."""
        widths, heights, tops = (constant(table, matrices.device) for table in self._tables)
        (a, b), (c, d) = (row.unbind(-1) for row in matrices[:, :, :2, :2].unbind(-2))
        area = (a * d - b * c).abs() / matrices[:, :, 2, 2].abs().clamp(min=1e-3) ** 2
        scale = area.sqrt() * math.sqrt(self.size[0] * self.size[1]) / input_size
        level = scale.clamp(min=1e-6).log2().round().clamp(0, len(self._tables[0]) - 1).long()
        return widths[level].unsqueeze(-1), heights[level].unsqueeze(-1), tops[level].unsqueeze(-1)


def _inside(share: torch.Tensor, padding: str) -> torch.Tensor:
    if padding == "reflection":
        return 1 - (share.remainder(2) - 1).abs()
    return share.clamp(0, 1)


def _normalized(position: torch.Tensor, length: int) -> torch.Tensor:
    return position * (2 / max(length - 1, 1)) - 1


def transform_colors(cutouts: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Apply `[B, K, 3, 4]` color matrices to `[B, K, 3, S, S]`."""
    mixed = torch.einsum("bkij,bkjhw->bkihw", matrices[..., :3], cutouts)
    return mixed + matrices[..., 3, None, None]


def compose_colors(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The `[B, K, 3, 4]` matrix that does `first`, then `second`."""
    linear = second[..., :3] @ first[..., :3]
    offset = second[..., :3] @ first[..., 3:] + second[..., 3:]
    return torch.cat([linear, offset], dim=-1)
