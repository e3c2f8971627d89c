"""Sample all cutouts of all canvases from one tensor with a single antialiased resampling.

Other programs pool the whole picture once for each cutout and then run a chain of geometric augmentations. Here a
cutout is a homography from its own square to the picture, which the matrices of flips, rotations and perspectives
multiply. The picture and its halvings are stored below each other in one tensor (a mip pyramid). Every cutout reads
the level whose pixels are about as large as its own, so large cutouts are not aliased and small ones keep their detail.

Numbers that depend only on the matrices are computed on the host and sent to the device in one copy, because hundreds
of tiny operations would take a GPU longer than the cutouts themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch

from pixforge.contracts.alpha import COLORS
from pixforge.contracts.constants import constant
from pixforge.engine.resample import PyramidLayout, halve, sample_pyramid

CENTER = 0.5
FILLED = frozenset({"gray", "black"})
"""The paddings that are one color."""

__all__ = ["ImagePyramid", "compose_colors", "halve", "pyramid_levels", "transform_colors"]


def pyramid_levels(size: tuple[int, int], input_size: int) -> int:
    """The number of levels that a picture of (width, height) needs for a cutout of all of it without aliasing."""
    return 1 + max(0, round(math.log2(max(size) / input_size)))


class ImagePyramid:
    """A picture and its halvings in one tensor, to be sampled by homographies.

    Args:
        images: `[B, C, H, W]`.
        levels: number of levels, including the picture itself.
        wrap: whether cutouts may use the padding `wrap`, which needs a rim around each level.
    """

    def __init__(self, images: torch.Tensor, levels: int, *, wrap: bool = False) -> None:
        self.size = (images.shape[-1], images.shape[-2])
        self.layout = PyramidLayout(self.size, levels, rim=int(wrap))
        self.tensor = self.layout.pyramid(images)

    def sample(
        self,
        matrices: torch.Tensor,
        input_size: int,
        padding: str | Sequence[str],
        gray: torch.Tensor | None = None,
        colors: torch.Tensor | None = None,
        background: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Sample cutouts `[B, K, C, S, S]`.

        Args:
            matrices: homographies `[B, K, 3, 3]` from the cutout's [-1, 1]^2 to the picture's [-1, 1]^2.
            input_size: S.
            padding: what cutouts show outside the picture, one for all or one for each of the K: `reflection`,
                `border` (the outermost pixels), `wrap` (the picture repeated), `gray` or `black`.
            gray: the level `[B, K]` of the padding `gray`; None means 0.5.
            colors: color matrices as for `transform_colors`.
            background: gray levels `[B, K]` behind premultiplied pictures with alpha, of which it makes C = 3.
        """
        modes = [padding] * matrices.shape[1] if isinstance(padding, str) else list(padding)
        with torch.no_grad():
            gray = _levels_outside(gray, matrices, modes)
            numbers = [_rows(matrices), self._levels(matrices, input_size), gray]
            more = [each for each in (background, colors) if each is not None]
            rows, levels, gray, *rest = sent([*numbers, *more], self.tensor.device)
            shares = _shares(rows, input_size)
            outside = _outside(shares, modes)
            # x and y stay in separate planes: interleaving them takes longer than reading them apart.
            grid = _places(shares, levels, modes).movedim(0, -1)
        cutouts = sample_pyramid(self.tensor, grid.to(self.tensor.dtype))
        if background is not None:
            behind = rest.pop(0)[:, :, None, None, None].to(cutouts.dtype)
            cutouts = cutouts[:, :, :COLORS] + (1 - cutouts[:, :, COLORS:]) * behind
        if outside is not None:
            middle = gray[:, :, None, None, None].to(cutouts.dtype)
            cutouts = torch.where(outside.unsqueeze(2), middle, cutouts)
        return transform_colors(cutouts, *rest) if rest else cutouts

    def _levels(self, matrices: torch.Tensor, input_size: int) -> torch.Tensor:
        """The entries of `PyramidLayout.table` for the level that each cutout reads: `[4, 2, B, K, 1, 1]`."""
        (a, b), (c, d) = (row.unbind(-1) for row in matrices[:, :, :2, :2].unbind(-2))
        area = (a * d - b * c).abs() / matrices[:, :, 2, 2].abs().clamp(min=1e-3) ** 2
        scale = area.sqrt() * math.sqrt(self.size[0] * self.size[1]) / input_size
        level = scale.clamp(min=1e-6).log2().round().clamp(0, len(self.layout.sizes) - 1).long()
        return constant(self.layout.table, matrices.device).view(4, 2, -1)[..., level][..., None, None]


def sent(tensors: Sequence[torch.Tensor], device: torch.device) -> list[torch.Tensor]:
    """Copy small float32 tensors to a device in one transfer; the host does not wait for it."""
    flat = torch.cat([each.flatten() for each in tensors])
    there = flat.to(device, non_blocking=device.type == "cuda").split_with_sizes(
        [each.numel() for each in tensors]
    )
    return [part.view(each.shape) for part, each in zip(there, tensors, strict=True)]


def _rows(matrices: torch.Tensor) -> torch.Tensor:
    """Coefficients `[3, 3, B, K, 1, 1]` of x, y and 1 in homogeneous coordinates, as shares of the picture's sides."""
    to_share = constant([[0.5, 0.0, 0.5], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]], matrices.device)
    return (to_share @ matrices).permute(3, 2, 0, 1).contiguous()[..., None, None]


@lru_cache
def _centers(input_size: int) -> tuple[float, ...]:
    """Of the pixels of a cutout, from -1 to 1 between its edges; by numpy, which also computes where torch only estimates."""
    import numpy as np

    numbers = np.arange(input_size, dtype=np.float32) + np.float32(CENTER)
    return tuple((numbers * np.float32(2 / input_size) - np.float32(1)).tolist())


def _shares(rows: torch.Tensor, input_size: int) -> torch.Tensor:
    """The position of each cutout pixel in the picture, as shares of width and height: `[2, B, K, S, S]`."""
    x = constant(_centers(input_size), rows.device)
    a, b, c = rows
    # a x + (b y + c), elementwise: a matrix product with all points would round differently in a batch than alone.
    points: torch.Tensor = a * x + torch.addcmul(c, b, x.unsqueeze(-1))
    # Points at or behind the horizon would be mirrored.
    points[2].clamp_(min=1e-3)
    return points[:2].div_(points[2])


def _levels_outside(gray: torch.Tensor | None, matrices: torch.Tensor, modes: Sequence[str]) -> torch.Tensor:
    """What lies outside the picture, `[B, K]`: black for the padding `black`, otherwise `gray`."""
    gray = matrices.new_full(matrices.shape[:2], CENTER) if gray is None else gray
    return gray * gray.new_tensor([mode != "black" for mode in modes]) if "black" in modes else gray


def _runs(modes: Sequence[str]) -> list[tuple[str, slice]]:
    """Group neighboring equal modes: each mode with the slice of its cutouts."""
    starts = [index for index, mode in enumerate(modes) if index == 0 or mode != modes[index - 1]]
    return [(modes[a], slice(a, b)) for a, b in zip(starts, [*starts[1:], len(modes)], strict=True)]


def _outside(shares: torch.Tensor, modes: Sequence[str]) -> torch.Tensor | None:
    """A mask of the filled pixels, `[B, K, S, S]`; None if no cutout has the padding `gray` or `black`."""
    if not FILLED.intersection(modes):
        return None
    outside = torch.logical_or(*(shares != shares.clamp(0, 1)))
    for mode, part in _runs(modes):
        if mode not in FILLED:
            outside[:, part] = False
    return outside


def _places(shares: torch.Tensor, levels: torch.Tensor, modes: Sequence[str]) -> torch.Tensor:
    """Convert shares of the picture to coordinates in the pyramid, in place: `[2, B, K, S, S]`, with K modes."""
    for mode, part in _runs(modes):
        here = shares[:, :, part]
        scale, shift, first, last = levels[:, :, :, part]
        if mode == "wrap":
            here.sub_(here.floor())
        elif mode == "reflection":
            here.sub_(here.mul(0.5).round_(), alpha=2).abs_()  # a triangle wave of period 2
        # Two operations each, although torch has fused ones: with broadcasting, those are slow on a CPU.
        here.mul_(scale).add_(shift)
        if mode != "wrap":  # with `wrap`, the rim holds the color of the opposite edge
            torch.minimum(torch.maximum(here, first, out=here), last, out=here)
    return shares


def transform_colors(cutouts: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Apply color matrices `[B, K, 3, 4]` to cutouts `[B, K, 3, S, S]`."""
    matrices = matrices.flatten(0, 1)
    pixels = cutouts.flatten(3).flatten(0, 1)
    return torch.baddbmm(matrices[..., 3:], matrices[..., :3], pixels).view_as(cutouts)


def compose_colors(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The color matrices `[B, K, 3, 4]` that apply `first`, then `second`."""
    linear = second[..., :3] @ first[..., :3]
    offset = second[..., :3] @ first[..., 3:] + second[..., 3:]
    return torch.cat([linear, offset], dim=-1)
