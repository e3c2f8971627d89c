"""Curves to pixels and back: coverage as a browser's renderer sees it, with gradients that reach further.

Coordinates are pixels: x to the right, y down, the corner of the picture at (0, 0), pixel centers at halves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Search = Callable[[Tensor, int, int, int], tuple[Tensor, Tensor]]
TOGETHER = 2**20
"""Pixels of several strokes whose distances are looked for at once: what is in between them stays in a processor's cache."""


def bezier(points: Tensor, time: Tensor) -> Tensor:
    """Points on chains of cubic Bezier curves.

    Args:
        points: `[B, S, 3 P + 1, 2]` control points of P curves, each of which ends where the next begins.
        time: `[B, S, N]` from 0 to P.

    Returns:
        `[B, S, 2, N]`.
    """
    weights = _weights(time, points.shape[2])
    result: Tensor = points.transpose(2, 3) @ weights
    return result


def _weights(time: Tensor, count: int) -> Tensor:
    """How much each of `count` control points counts at a time, Bernstein's polynomials: `[B, S, count, N]`."""
    pieces = (count - 1) // 3
    piece = time.floor().clamp_(0, pieces - 1)
    t = time - piece
    s = 1 - t
    basis = (s**3, 3 * s**2 * t, 3 * s * t**2, t**3)
    if pieces == 1:
        return torch.stack(basis, dim=2)
    weights = time.new_zeros(*time.shape[:2], count, time.shape[2])
    for index in range(pieces):
        here = piece == index
        for corner, weight in enumerate(basis):
            weights[:, :, 3 * index + corner] += weight * here
    return weights


def nearest_places(points: Tensor, height: int, width: int, samples: int) -> tuple[Tensor, Tensor]:
    """The times `[B, S, N]` of the nearest places on the curves, and `[B, S, 2, N]` from there to the N pixels."""
    x, y = _centers(height, width, points.device)
    pixels = torch.stack([x.expand(height, -1), y.expand(-1, width)]).flatten(1)
    return _refined(points, _nearest(points, x, y, samples).flatten(2), pixels, 1 / samples)


def curve_distance(
    points: Tensor, height: int, width: int, samples: int, search: Search = nearest_places
) -> Tensor:
    """How far each pixel's center is from each chain of curves: `[B, S, H, W]` from `[B, S, 3 P + 1, 2]`.

    The nearest place is looked for on a polyline, without a graph; by the envelope theorem the gradient of the
    distance is that of the distance to this place, so nothing but its time needs to be kept.

    Args:
        points: of the curves.
        height: of the picture.
        width: of the picture.
        samples: the number of line pieces of each curve in the search.
        search: `nearest_places`, or the same compiled.
    """
    parts = _parts(points.detach(), height * width)
    found = [search(part, height, width, samples) for part in parts]
    time, offset = (torch.cat(each, dim=1) for each in zip(*found, strict=True))
    made: Tensor = _Distance.apply(points, time, offset)
    return made.unflatten(2, (height, width))


class _Distance(torch.autograd.Function):
    """`[B, S, N]`, the lengths of offsets `[B, S, 2, N]`, with the gradient of the curves' points."""

    @staticmethod
    def forward(ctx: Any, points: Tensor, time: Tensor, offset: Tensor) -> Tensor:
        distance = _dot(offset, offset).sqrt()
        ctx.save_for_backward(time, offset / distance.clamp(min=1e-6)[:, :, None])
        ctx.count = points.shape[2]
        return distance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        time, direction = ctx.saved_tensors
        every = (_parts(each, time.shape[2]) for each in (time, direction, gradients[0]))
        pulled = [
            _weights(at, ctx.count) @ (way * pull[:, :, None]).transpose(2, 3)
            for at, way, pull in zip(*every, strict=True)
        ]
        return torch.cat(pulled, dim=1).neg_(), None, None


def _parts(strokes: Tensor, pixels: int) -> tuple[Tensor, ...]:
    """The strokes `[B, S, ...]` in even parts of about `TOGETHER` pixels; all at once on a GPU."""
    batch, count = strokes.shape[:2]
    least = -(-batch * count * pixels // TOGETHER) if strokes.device.type == "cpu" else 1
    return strokes.tensor_split(max(1, min(count, least)), dim=1)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """`[B, S, N]` from two of `[B, S, 2, N]`; torch's sum and norm over so short an axis take many times as long."""
    return torch.addcmul(a[:, :, 0] * b[:, :, 0], a[:, :, 1], b[:, :, 1])


def _centers(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.arange(width, device=device) + 0.5, torch.arange(height, device=device)[:, None] + 0.5


def _nearest(points: Tensor, x: Tensor, y: Tensor, samples: int) -> Tensor:
    """The time of the nearest place on the polyline: `[B, S, H, W]`."""
    pieces = (points.shape[-2] - 1) // 3
    times = torch.linspace(0, pieces, samples * pieces + 1, device=points.device)
    line = bezier(points, times.expand(*points.shape[:2], -1)).transpose(2, 3)
    best = torch.full((*points.shape[:2], y.shape[0], x.shape[0]), torch.inf, device=points.device)
    time = torch.zeros_like(best)
    for index in range(line.shape[2] - 1):
        start, way = line[:, :, index], line[:, :, index + 1] - line[:, :, index]
        dx = x - start[..., 0, None, None]
        dy = y - start[..., 1, None, None]
        length = way.square().sum(dim=-1).clamp(min=1e-12)
        along = (way / length[..., None])[..., None, None]
        share = (dx * along[:, :, 0] + dy * along[:, :, 1]).clamp_(0, 1)
        square = (dx - share * way[..., 0, None, None]).square_()
        square = square.add_((dy - share * way[..., 1, None, None]).square_())
        nearer = square < best
        best = torch.where(nearer, square, best)
        time = torch.where(nearer, share.add_(index), time)
    return time / samples


def _refined(points: Tensor, time: Tensor, pixels: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Move each time to where the curve itself is nearest, by two Newton steps, no further than `reach`.

    A place on the polyline is off along the curve by some pixels where the curve bends, and thin lines would break. Where
    it turns around on the spot its speed is nearly 0 and a step may lead anywhere, so only what comes nearer is kept.

    Returns:
        The times, and `[B, S, 2, N]` from the places there to the pixels.
    """
    low, high = (time - reach).clamp_(min=0), (time + reach).clamp_(max=(points.shape[2] - 1) // 3)
    powers = _powers(points)
    there, speed, turn = _moving(powers, time)
    offset = away = pixels - there
    best, moved = _dot(away, away), time
    for _ in range(2):
        square = _dot(speed, speed)
        bend = square - _dot(away, turn)
        bend = torch.where(bend > 0.1 * square, bend, square).clamp_(min=1e-3)  # else it would climb
        moved = torch.minimum(torch.maximum(moved + _dot(away, speed) / bend, low), high)
        there, speed, turn = _moving(powers, moved)
        away = pixels - there
        length = _dot(away, away)
        nearer = length < best
        time = torch.where(nearer, moved, time)
        offset = torch.where(nearer[:, :, None], away, offset)
        best = torch.minimum(best, length)
    return time, offset


def _powers(points: Tensor) -> Tensor:
    """What stands before 1, t, t^2 and t^3 in each curve: `[B, S, 4, 2, P]`."""
    first, second, third, last = (
        points[:, :, corner : points.shape[2] - 3 + corner : 3] for corner in range(4)
    )
    powers = (
        first,
        3 * (second - first),
        3 * (first - 2 * second + third),
        last - first + 3 * (second - third),
    )
    return torch.stack(powers, dim=2).transpose(3, 4)


def _moving(powers: Tensor, time: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Place, speed and acceleration at a time, each `[B, S, 2, N]`."""
    pieces = powers.shape[-1]
    piece = time.floor().clamp_(0, pieces - 1)
    t = (time - piece)[:, :, None]
    if pieces > 1:
        which = piece.long()[:, :, None, None].expand(-1, -1, 4, 2, -1)
        powers = powers.gather(4, which)
    a, b, c, d = powers.unbind(dim=2)
    return a + t * (b + t * (c + t * d)), b + t * (2 * c + t * 3 * d), 2 * c + t * 6 * d


def coverage(distance: Tensor, width: Tensor, softness: float) -> Tensor:
    """How much of each pixel a stroke covers: `[B, S, H, W]` in [0, 1].

    Args:
        distance: `[B, S, H, W]` from the stroke's middle line, in pixels.
        width: `[B, S]` of the stroke, in pixels.
        softness: how far from the edge, in pixels, a pixel still pulls at it.

    The value is what a box of one pixel shares with the stroke, as renderers of SVG have it. That is flat but for
    the edge itself, where no gradient would tell a stroke to move. So the gradient is that of a sigmoid of
    `softness` pixels, scaled to the same total: what is seen is exact, what pulls is blurred.
    """
    made: Tensor = _Coverage.apply(distance, (width / 2)[..., None, None], softness)
    return made


class _Coverage(torch.autograd.Function):
    """The exact value with the blurred gradient; written out, as there are many and large pictures in between."""

    @staticmethod
    def forward(ctx: Any, distance: Tensor, half: Tensor, softness: float) -> Tensor:
        ctx.save_for_backward(((half - distance).div_(softness)).sigmoid_())
        ctx.softness = softness
        outer = torch.minimum(distance + 0.5, half)
        return outer.sub_(torch.maximum(distance - 0.5, -half)).clamp_(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        (soft,) = ctx.saved_tensors
        away = torch.addcmul(soft, soft, soft, value=-1).mul_(gradients[0]).div_(-ctx.softness)
        return away, -away.sum(dim=(2, 3), keepdim=True), None


def paint(cover: Tensor, colors: Tensor, paper: Tensor) -> Tensor:
    """Strokes over each other on paper, the last one on top.

    Args:
        cover: `[B, S, H, W]` coverage.
        colors: `[B, S, 4]` sRGB and opacity in [0, 1].
        paper: `[B, 3]` sRGB.

    Returns:
        `[B, 3, H, W]`. Colors mix as sRGB values, which is what browsers do.
    """
    image = paper[:, :, None, None].expand(-1, -1, *cover.shape[-2:])
    # Taken apart at once: each taken by its number would have a gradient as large as all of them.
    for share, color in zip(cover.unsqueeze(2).unbind(1), colors[..., None, None].unbind(1), strict=True):
        image = torch.lerp(image, color[:, :3], share * color[:, 3:])
    return image
