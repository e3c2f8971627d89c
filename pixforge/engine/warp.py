"""Take all cutouts of all canvases with one resampling, antialiased, from one tensor.

Peers pool the whole picture once for each cutout and then run a chain of geometric augmentations. Here a cutout is a
homography from its own square to the picture; flips, rotations and perspective are matrices that multiply it. The
picture and its halvings lie below each other in one tensor (a mip atlas), and every cutout reads the level whose
pixels are about as large as its own, so that large cuts are not aliased and small ones keep their detail.

What depends on the matrices alone is computed where they are, which is on the host, and sent in one piece: hundreds of
tiny operations would cost a GPU more than the cutouts.
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
        colors: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Cutouts `[B, K, 3, S, S]` by homographies `[B, K, 3, 3]` from [-1, 1]^2 to the picture's [-1, 1]^2.

        What lies outside the picture is mirrored (`reflection`), stretched (`border`), repeated (`wrap`) or `gray`;
        `padding` is one of these, or one for each of the K. `gray` `[B, K]` is the level of that gray, else a half;
        `colors` are applied as `transform_colors` does.
        """
        modes = [padding] * matrices.shape[1] if isinstance(padding, str) else list(padding)
        with torch.no_grad():
            gray = matrices.new_full(matrices.shape[:2], CENTER) if gray is None else gray
            numbers = [_rows(matrices), self._levels(matrices, input_size), gray]
            rows, levels, gray, *rest = sent(
                [*numbers, *([] if colors is None else [colors])], self.tensor.device
            )
            shares = _shares(rows, input_size)
            outside = _outside(shares, modes)
            # x and y stay apart: to interleave them takes longer than reading them so does.
            grid = _places(shares, levels, modes).movedim(0, -1)
        cutouts = sample_atlas(self.tensor, grid.to(self.tensor.dtype))
        if outside is not None:
            middle = gray[:, :, None, None, None].to(cutouts.dtype)
            cutouts = torch.where(outside.unsqueeze(2), middle, cutouts)
        return transform_colors(cutouts, *rest) if rest else cutouts

    def _levels(self, matrices: torch.Tensor, input_size: int) -> torch.Tensor:
        """Where the level that each cutout reads lies, as `Pyramid.table` says it: `[4, 2, B, K, 1, 1]`."""
        (a, b), (c, d) = (row.unbind(-1) for row in matrices[:, :, :2, :2].unbind(-2))
        area = (a * d - b * c).abs() / matrices[:, :, 2, 2].abs().clamp(min=1e-3) ** 2
        scale = area.sqrt() * math.sqrt(self.size[0] * self.size[1]) / input_size
        level = scale.clamp(min=1e-6).log2().round().clamp(0, len(self.pyramid.sizes) - 1).long()
        return constant(self.pyramid.table, matrices.device).view(4, 2, -1)[..., level][..., None, None]


def sent(tensors: Sequence[torch.Tensor], device: torch.device) -> list[torch.Tensor]:
    """Small float32 tensors on a device, in one copy, which the host does not wait for."""
    flat = torch.cat([each.flatten() for each in tensors])
    there = flat.to(device, non_blocking=device.type == "cuda").split_with_sizes(
        [each.numel() for each in tensors]
    )
    return [part.view(each.shape) for part, each in zip(there, tensors, strict=True)]


def _rows(matrices: torch.Tensor) -> torch.Tensor:
    """`[3, 3, B, K, 1, 1]`: what x, y and 1 add to the homogeneous share of the picture's width and height."""
    to_share = constant([[0.5, 0.0, 0.5], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]], matrices.device)
    return (to_share @ matrices).permute(3, 2, 0, 1).contiguous()[..., None, None]


def _shares(rows: torch.Tensor, input_size: int) -> torch.Tensor:
    """Where each pixel of each cutout lies in the picture, as shares of width and height: `[2, B, K, S, S]`."""
    x = (torch.arange(input_size, device=rows.device) + CENTER) * (2 / input_size) - 1
    a, b, c = rows
    # Each a x + (b y + c): a matrix product with all points would round otherwise in a batch than alone.
    points: torch.Tensor = a * x + torch.addcmul(c, b, x.unsqueeze(-1))
    # A point at or behind the horizon would turn the cutout inside out.
    points[2].clamp_(min=1e-3)
    return points[:2].div_(points[2])


def _runs(modes: Sequence[str]) -> list[tuple[str, slice]]:
    """Neighbors of one mode together."""
    starts = [index for index, mode in enumerate(modes) if index == 0 or mode != modes[index - 1]]
    return [(modes[a], slice(a, b)) for a, b in zip(starts, [*starts[1:], len(modes)], strict=True)]


def _outside(shares: torch.Tensor, modes: Sequence[str]) -> torch.Tensor | None:
    """Which pixels are gray, `[B, K, S, S]`; None when no cutout has any."""
    if "gray" not in modes:
        return None
    outside = torch.zeros(shares.shape[1:], dtype=torch.bool, device=shares.device)
    for mode, part in _runs(modes):
        if mode == "gray":
            here = shares[:, :, part]
            torch.logical_or(*((here < 0) | (here > 1)), out=outside[:, part])
    return outside


def _places(shares: torch.Tensor, levels: torch.Tensor, modes: Sequence[str]) -> torch.Tensor:
    """From shares of the picture to places in the atlas, in place: `[2, B, K, S, S]`, a mode for each of the K."""
    for mode, part in _runs(modes):
        here = shares[:, :, part]
        scale, shift, first, last = levels[:, :, :, part]
        if mode == "wrap":
            here.sub_(here.floor())
        elif mode == "reflection":
            here.sub_(here.mul(0.5).round_(), alpha=2).abs_()  # a triangle wave of period 2
        # Two operations each, where torch has one: that one is slow on a CPU when it repeats what it is given.
        here.mul_(scale).add_(shift)
        if mode != "wrap":  # there, between two edges, the rim has the other one's color
            torch.minimum(torch.maximum(here, first, out=here), last, out=here)
    return shares


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
