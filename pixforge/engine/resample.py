"""The two differentiable halves of the cutouts: a picture to its atlas, and an atlas to what is sampled from it.

Both have their backward pass written out. That is less work than what autograd records of the same operations (it would
fill, pad and copy whole pictures), and lets several cores share what torch gives to one.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

BILINEAR, BORDER = 0, 1  # torch's numbers for grid_sample's modes
ALIGNED, UNALIGNED = True, False  # whether -1 and 1 are the centers of the outermost pixels, or their edges


def halve(images: torch.Tensor) -> torch.Tensor:
    """`[B, 3, H, W]` to half its size, rounded up, each pixel the mean of what it covers."""
    height, width = images.shape[-2:]
    if height % 2 == 0 and width % 2 == 0:  # not avg_pool2d: on a CPU that takes twice as long
        rows = images[:, :, ::2] + images[:, :, 1::2]
        return (rows[..., ::2] + rows[..., 1::2]).mul_(0.25)
    return F.interpolate(images, size=_half(height, width), mode="bilinear", antialias=True)


def _halve_backward(gradient: torch.Tensor, height: int, width: int) -> torch.Tensor:
    if height % 2 == 0 and width % 2 == 0:
        return F.interpolate(gradient.mul(0.25), size=(height, width), mode="nearest")
    shape = [*gradient.shape[:2], height, width]
    backward = torch.ops.aten._upsample_bilinear2d_aa_backward  # noqa: SLF001 - the only way to it
    made: torch.Tensor = backward(
        gradient.contiguous(), list(gradient.shape[2:]), shape, UNALIGNED, None, None
    )
    return made


def _half(height: int, width: int) -> tuple[int, int]:
    return (height + 1) // 2, (width + 1) // 2


class Pyramid:
    """Where a picture and its halvings lie in one tensor.

    Args:
        size: (width, height) of the picture.
        levels: how many, the picture itself included.
        rim: pixels around each level that repeat those of its other side, so that a picture can go on there.
    """

    def __init__(self, size: tuple[int, int], levels: int, rim: int = 0) -> None:
        self.rim = rim
        self.sizes = [(size[1], size[0])]
        while len(self.sizes) < levels:
            self.sizes.append(_half(*self.sizes[-1]))
        self.tops = [rim]
        """The row of the first pixel of each level; its column is `rim`."""
        for height, _ in self.sizes:
            self.tops.append(self.tops[-1] + height + 2 * rim)
        self.height = self.tops.pop() - rim
        self.width = size[0] + 2 * rim

    @property
    def table(self) -> list[list[float]]:
        """Of each level (the columns), in coordinates of the tensor that go from -1 to 1 between the outermost pixels.

        Scale and shift that put shares of the level's width there, first and last pixel's center; each for x, then y.
        """
        rows = []
        for size, firsts, whole in (
            ([width for _, width in self.sizes], [self.rim] * len(self.sizes), self.width),
            ([height for height, _ in self.sizes], self.tops, self.height),
        ):
            unit = 2 / max(whole - 1, 1)
            for length, first in zip(size, firsts, strict=True):
                ends = first * unit - 1, (first + length - 1) * unit - 1
                rows.append([length * unit, ends[0] - unit / 2, *ends])
        levels = len(self.sizes)
        return [[row[kind] for row in rows[at : at + levels]] for kind in range(4) for at in (0, levels)]

    def level(self, atlas: torch.Tensor, index: int, rim: int = 0) -> torch.Tensor:
        """A view of one level in `[B, 3, height, width]`, with some of its rim."""
        (height, width), top = self.sizes[index], self.tops[index]
        rows, columns = slice(top - rim, top + height + rim), slice(self.rim - rim, self.rim + width + rim)
        return atlas[:, :, rows, columns]

    def atlas(self, images: torch.Tensor) -> torch.Tensor:
        """The tensor, differentiable in the picture `[B, 3, H, W]`."""
        made: torch.Tensor = _ToAtlas.apply(images, self)  # type: ignore[no-untyped-call]
        return made


class _ToAtlas(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: torch.Tensor, pyramid: Pyramid) -> torch.Tensor:
        ctx.pyramid = pyramid
        atlas = images.new_zeros(*images.shape[:2], pyramid.height, pyramid.width)
        for index in range(len(pyramid.sizes)):
            images = halve(images) if index else images
            pyramid.level(atlas, index).copy_(images)
            if pyramid.rim:
                around = F.pad(images, (pyramid.rim,) * 4, mode="circular")
                pyramid.level(atlas, index, pyramid.rim).copy_(around)
        return atlas

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        pyramid: Pyramid = ctx.pyramid
        total: torch.Tensor | None = None
        for index in reversed(range(len(pyramid.sizes))):
            here = _unrimmed(pyramid, gradients[0], index)
            total = here if total is None else _halve_backward(total, *pyramid.sizes[index]) + here
        assert total is not None
        return total, None


def _unrimmed(pyramid: Pyramid, gradient: torch.Tensor, index: int) -> torch.Tensor:
    """The gradient of a level, with that of its rim added to the pixels which it repeats."""
    rim = pyramid.rim
    if not rim:
        return pyramid.level(gradient, index)
    whole = pyramid.level(gradient, index, rim).clone()
    for axis in (2, 3):
        length = whole.shape[axis] - 2 * rim
        whole.narrow(axis, length, rim).add_(whole.narrow(axis, 0, rim))
        whole.narrow(axis, rim, rim).add_(whole.narrow(axis, length + rim, rim))
        whole = whole.narrow(axis, rim, length)
    return whole


def sample_atlas(atlas: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """`[B, K, 3, S, S]` from `[B, 3, h, w]` at `[B, K, S, S, 2]`, bilinear, as `F.grid_sample` with aligned corners.

    x and y of the grid need not lie next to each other.
    """
    cutouts: torch.Tensor = _Sample.apply(atlas, grid)  # type: ignore[no-untyped-call]
    return cutouts


class _Sample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, atlas: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(grid)
        ctx.shape = atlas.shape
        batch, count, size = grid.shape[:3]
        if (
            batch == 1
        ):  # one picture for each cutout, without a copy: they come out in order, and cores share them
            pictures = atlas.expand(count, -1, -1, -1)
            return torch.grid_sampler_2d(pictures, grid[0], BILINEAR, BORDER, ALIGNED)[None]
        rows = grid.view(batch, count * size, size, 2)
        cut = torch.grid_sampler_2d(atlas, rows, BILINEAR, BORDER, ALIGNED)
        return cut.view(batch, 3, count, size, size).transpose(1, 2).contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (grid,) = ctx.saved_tensors
        batch, count, size = grid.shape[:3]
        parts = _parts(grid, count)
        each, rows = batch * parts, count // parts * size
        ordered = gradients[0].reshape(each, count // parts, 3, size, size).transpose(1, 2)
        gradient, _ = torch.ops.aten.grid_sampler_2d_backward(
            ordered.reshape(each, 3, rows, size),
            grid.new_empty(1).expand(each, *ctx.shape[1:]),  # only its shape counts: the grid has no gradient
            grid.view(each, rows, size, 2),
            BILINEAR, BORDER, ALIGNED, [True, False],
        )  # fmt: skip
        return gradient if parts == 1 else gradient.view(batch, parts, *ctx.shape[1:]).sum(dim=1), None


def _parts(grid: torch.Tensor, count: int) -> int:
    """Into how many equal parts the cutouts of one canvas go: torch gives each canvas to one core of a CPU."""
    if grid.device.type != "cpu" or len(grid) >= torch.get_num_threads():
        return 1
    return next(parts for parts in range(min(torch.get_num_threads(), count), 0, -1) if count % parts == 0)
