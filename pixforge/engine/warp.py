"""Take all cutouts of all canvases with one resampling, antialiased, from one tensor.

Peers pool the whole picture once for each cutout and then run a chain of geometric augmentations. Here a cutout is a
homography from its own square to the picture; flips, rotations and perspective are matrices that multiply it. The
picture and its halvings lie below each other in one tensor (a mip atlas), and every cutout reads the level whose
pixels are about as large as its own, so that large cuts are not aliased and small ones keep their detail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from pixforge.contracts.constants import constant
from pixforge.engine.resample import Pyramid, halve, sample_atlas

CENTER = 0.5

__all__ = ["Atlas", "compose_colors", "halve", "pyramid_levels", "transform_colors"]


def pyramid_levels(size: tuple[int, int], input_size: int) -> int:
    """How many levels a picture of (width, height) needs so that a cut of all of it is not aliased at S."""
    return 1 + max(0, round(math.log2(max(size) / input_size)))


class Atlas:
    """A picture and its halvings in one tensor, to be sampled by homographies.

    Args:
        images: `[B, 3, H, W]`.
        levels: how many halvings, the picture itself included.
        wrap: whether a cutout may show what lies outside the picture as its repetition.
    """

    def __init__(self, images: torch.Tensor, levels: int, *, wrap: bool = False) -> None:
        self.size = (images.shape[-1], images.shape[-2])
        self.pyramid = Pyramid(self.size, levels, rim=int(wrap))
        self.tensor = self.pyramid.atlas(images)

    def sample(
        self,
        matrices: torch.Tensor,
        input_size: int,
        padding: str | Sequence[str],
        gray: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Cutouts `[B, K, 3, S, S]` by homographies `[B, K, 3, 3]` from [-1, 1]^2 to the picture's [-1, 1]^2.

        What lies outside the picture is mirrored (`reflection`), stretched (`border`), repeated (`wrap`) or `gray`;
        `padding` is one of these, or one for each of the K. `gray` `[B, K]` is the level of that gray, else a half.
        """
        modes = [padding] * matrices.shape[1] if isinstance(padding, str) else list(padding)
        with torch.no_grad():
            x, y = _shares(matrices, input_size)
            outside = _outside(x, y, modes)
            width, height, top = self._levels(matrices, input_size)
            grid = torch.empty(*x.shape, 2, dtype=self.tensor.dtype, device=x.device)
            left = torch.full_like(top, self.pyramid.rim)
            for axis, (share, length, first) in enumerate(((x, width, left), (y, height, top))):
                place = _places(share, length, modes).add_(first)
                extent = max(self.tensor.shape[-1 - axis] - 1, 1)
                grid[..., axis] = place.mul_(2 / extent).sub_(1)
        cutouts = sample_atlas(self.tensor, grid.view(*x.shape[:2], input_size, input_size, 2))
        if outside is None:
            return cutouts
        level = CENTER if gray is None else gray[:, :, None, None, None]
        shaped = outside.view(*x.shape[:2], 1, input_size, input_size)
        return torch.where(shaped, torch.as_tensor(level, dtype=cutouts.dtype, device=x.device), cutouts)

    def _levels(
        self, matrices: torch.Tensor, input_size: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Width, height and top in the atlas of the level that each cutout reads: three `[B, K, 1]`."""
        widths, heights, tops = (constant(table, matrices.device) for table in self.pyramid.tables)
        (a, b), (c, d) = (row.unbind(-1) for row in matrices[:, :, :2, :2].unbind(-2))
        area = (a * d - b * c).abs() / matrices[:, :, 2, 2].abs().clamp(min=1e-3) ** 2
        scale = area.sqrt() * math.sqrt(self.size[0] * self.size[1]) / input_size
        level = scale.clamp(min=1e-6).log2().round().clamp(0, len(self.pyramid.sizes) - 1).long()
        return widths[level].unsqueeze(-1), heights[level].unsqueeze(-1), tops[level].unsqueeze(-1)


def _shares(matrices: torch.Tensor, input_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each pixel of each cutout lies in the picture, as shares of width and height: two `[B, K, S*S]`."""
    x = (torch.arange(input_size, device=matrices.device) + CENTER) * (2 / input_size) - 1
    y = x.unsqueeze(-1)
    to_share = constant([[0.5, 0.0, 0.5], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]], matrices.device)
    rows = (to_share @ matrices)[..., None, None].unbind(2)
    # Each a x + (b y + c): a matrix product with all points would round otherwise in a batch than alone.
    across, down, depth = (
        torch.addcmul(torch.addcmul(c, b, y), a, x) for a, b, c in (row.unbind(2) for row in rows)
    )
    # A point at or behind the horizon would turn the cutout inside out.
    depth.clamp_(min=1e-3)
    shape = (*matrices.shape[:2], -1)
    return across.div_(depth).view(shape), down.div_(depth).view(shape)


def _runs(modes: Sequence[str]) -> list[tuple[str, slice]]:
    """Neighbors of one mode together."""
    starts = [index for index, mode in enumerate(modes) if index == 0 or mode != modes[index - 1]]
    return [(modes[a], slice(a, b)) for a, b in zip(starts, [*starts[1:], len(modes)], strict=True)]


def _outside(x: torch.Tensor, y: torch.Tensor, modes: Sequence[str]) -> torch.Tensor | None:
    """Which pixels are gray; None when no cutout has any."""
    if "gray" not in modes:
        return None
    outside = torch.zeros(x.shape, dtype=torch.bool, device=x.device)
    for mode, part in _runs(modes):
        if mode == "gray":
            across, down = x[:, part], y[:, part]
            outside[:, part] = (across < 0) | (across > 1) | (down < 0) | (down > 1)
    return outside


def _places(share: torch.Tensor, length: torch.Tensor, modes: Sequence[str]) -> torch.Tensor:
    """From shares of the picture to places of pixels' centers on it, in place; `[B, K, n]`, a mode for each of the K."""
    for mode, part in _runs(modes):
        here, pixels = share[:, part], length[:, part]
        if mode == "wrap":
            here.sub_(here.floor()).mul_(pixels).sub_(
                CENTER
            )  # between two edges the rim has the other one's color
            continue
        if mode == "reflection":
            here.sub_(here.mul(0.5).round_().mul_(2)).abs_()  # a triangle wave of period 2
        here.mul_(pixels).sub_(CENTER).clamp_(min=0)
        torch.minimum(here, pixels - 1, out=here)
    return share


def transform_colors(cutouts: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Apply `[B, K, 3, 4]` color matrices to `[B, K, 3, S, S]`."""
    matrices = matrices.flatten(0, 1)
    pixels = cutouts.flatten(3).flatten(0, 1)
    return torch.baddbmm(matrices[..., 3:], matrices[..., :3], pixels).view_as(cutouts)


def compose_colors(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The `[B, K, 3, 4]` matrix that does `first`, then `second`."""
    linear = second[..., :3] @ first[..., :3]
    offset = second[..., :3] @ first[..., 3:] + second[..., 3:]
    return torch.cat([linear, offset], dim=-1)
