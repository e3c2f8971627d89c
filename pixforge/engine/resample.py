"""The two differentiable parts of the cutouts: from a picture to its pyramid, and from the pyramid to the cutouts.

Both have a backward pass of their own. It does less work than autograd's, which would fill, pad and copy whole
pictures, and it uses several CPU cores where torch would use one.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

BILINEAR, BORDER = 0, 1  # torch's numbers for the modes of grid_sample
ALIGNED, UNALIGNED = True, False  # whether -1 and 1 mean the centers or the edges of the outermost pixels


def halve(images: torch.Tensor) -> torch.Tensor:
    """Halve pictures `[B, C, H, W]`, with sides rounded up; each new pixel is the mean of those that it covers."""
    height, width = images.shape[-2:]
    if height % 2 == 0 and width % 2 == 0:
        if images.device.type != "cpu":  # one operation, but on a CPU it takes twice as long as these four
            return F.avg_pool2d(images, 2)
        rows = images[:, :, ::2] + images[:, :, 1::2]
        return (rows[..., ::2] + rows[..., 1::2]).mul_(0.25)
    return F.interpolate(images, size=_half(height, width), mode="bilinear", antialias=True)


def _halve_backward(gradient: torch.Tensor, here: torch.Tensor) -> torch.Tensor:
    """The gradient of what was halved: that of its half, and its own."""
    height, width = here.shape[-2:]
    if height % 2 == 0 and width % 2 == 0:
        doubled = F.interpolate(gradient, size=(height, width), mode="nearest")
        return torch.add(here, doubled, alpha=0.25)
    shape = [*gradient.shape[:2], height, width]
    backward = torch.ops.aten._upsample_bilinear2d_aa_backward  # noqa: SLF001 - there is no public one
    made: torch.Tensor = backward(
        gradient.contiguous(), list(gradient.shape[2:]), shape, UNALIGNED, None, None
    )
    return made + here


def _half(height: int, width: int) -> tuple[int, int]:
    return (height + 1) // 2, (width + 1) // 2


class PyramidLayout:
    """The positions of a picture and its halvings in one tensor.

    Args:
        size: (width, height) of the picture.
        levels: number of levels, including the picture itself.
        rim: width in pixels of a border around each level that repeats the opposite side, for the padding `wrap`.
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
        """Numbers that convert shares of a level's sides to coordinates of the whole tensor.

        Columns are levels. Rows are scale, shift, and the centers of the first and the last pixel, each for x and
        then for y. The coordinates go from -1 to 1 between the centers of the tensor's outermost pixels.
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

    def level(self, pyramid: torch.Tensor, index: int, rim: int = 0) -> torch.Tensor:
        """A view of one level in the tensor `[B, C, height, width]`, with `rim` pixels of its border."""
        (height, width), top = self.sizes[index], self.tops[index]
        rows, columns = slice(top - rim, top + height + rim), slice(self.rim - rim, self.rim + width + rim)
        return pyramid[:, :, rows, columns]

    def pyramid(self, images: torch.Tensor) -> torch.Tensor:
        """Make the pyramid's tensor from pictures `[B, C, H, W]`, differentiable."""
        made: torch.Tensor = _ToPyramid.apply(images, self)  # type: ignore[no-untyped-call]
        return made


class _ToPyramid(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: torch.Tensor, layout: PyramidLayout) -> torch.Tensor:
        ctx.layout = layout
        pyramid = images.new_zeros(*images.shape[:2], layout.height, layout.width)
        for index in range(len(layout.sizes)):
            images = halve(images) if index else images
            layout.level(pyramid, index).copy_(images)
            if layout.rim:
                around = F.pad(images, (layout.rim,) * 4, mode="circular")
                layout.level(pyramid, index, layout.rim).copy_(around)
        return pyramid

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        layout: PyramidLayout = ctx.layout
        total: torch.Tensor | None = None
        for index in reversed(range(len(layout.sizes))):
            here = _unrimmed(layout, gradients[0], index)
            total = here if total is None else _halve_backward(total, here)
        assert total is not None
        return total, None


def _unrimmed(layout: PyramidLayout, gradient: torch.Tensor, index: int) -> torch.Tensor:
    """The gradient of a level; that of its rim is added to the pixels that the rim repeats."""
    rim = layout.rim
    if not rim:
        return layout.level(gradient, index)
    whole = layout.level(gradient, index, rim).clone()
    for axis in (2, 3):
        length = whole.shape[axis] - 2 * rim
        whole.narrow(axis, length, rim).add_(whole.narrow(axis, 0, rim))
        whole.narrow(axis, rim, rim).add_(whole.narrow(axis, length + rim, rim))
        whole = whole.narrow(axis, rim, length)
    return whole


def sample_pyramid(pyramid: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Sample `[B, C, h, w]` at the grid `[B, K, S, S, 2]` to `[B, K, C, S, S]`, bilinear, with aligned corners.

    It does the same as `F.grid_sample`. x and y of the grid need not be adjacent in memory.
    """
    cutouts: torch.Tensor = _Sample.apply(pyramid, grid)  # type: ignore[no-untyped-call]
    return cutouts


class _Sample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pyramid: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(grid)
        ctx.shape = pyramid.shape
        batch, count, size = grid.shape[:3]
        if (
            batch == 1
        ):  # repeat the picture for each cutout without a copy: no reordering, and CPU cores share the cutouts
            pictures = pyramid.expand(count, -1, -1, -1)
            return torch.grid_sampler_2d(pictures, grid[0], BILINEAR, BORDER, ALIGNED)[None]
        rows = grid.view(batch, count * size, size, 2)
        cut = torch.grid_sampler_2d(pyramid, rows, BILINEAR, BORDER, ALIGNED)
        return cut.view(batch, pyramid.shape[1], count, size, size).transpose(1, 2).contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (grid,) = ctx.saved_tensors
        batch, count, size = grid.shape[:3]
        parts = _parts(grid, count)
        each, rows = batch * parts, count // parts * size
        ordered = gradients[0].reshape(each, count // parts, ctx.shape[1], size, size).transpose(1, 2)
        gradient, _ = torch.ops.aten.grid_sampler_2d_backward(
            ordered.reshape(each, ctx.shape[1], rows, size),
            grid.new_empty(1).expand(each, *ctx.shape[1:]),  # only the shape is used, since the grid has no gradient
            grid.view(each, rows, size, 2),
            BILINEAR, BORDER, ALIGNED, [True, False],
        )  # fmt: skip
        return gradient if parts == 1 else gradient.view(batch, parts, *ctx.shape[1:]).sum(dim=1), None


def _parts(grid: torch.Tensor, count: int) -> int:
    """The number of equal parts that the cutouts of a canvas are split into, since torch uses one core per picture."""
    if grid.device.type != "cpu" or len(grid) >= torch.get_num_threads():
        return 1
    return next(parts for parts in range(min(torch.get_num_threads(), count), 0, -1) if count % parts == 0)
