"""A differentiable rasterizer of curves: exact coverage of pixels as in a browser, with smooth gradients.

Coordinates are in pixels, x to the right and y down. The corner of the picture is (0, 0); pixel centers are at halves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Search = Callable[[Tensor, int, int, int], tuple[Tensor, Tensor]]
TOGETHER = 2**20
"""Number of pixels, over all strokes, that are searched at once; so the intermediate tensors fit into a CPU's cache."""


def bezier(points: Tensor, time: Tensor) -> Tensor:
    """Points on chains of cubic Bezier curves.

    Args:
        points: `[B, S, 3 P + 1, 2]` control points of P curves, each of which ends where the next begins.
        time: curve parameters `[B, S, N]` from 0 to P.

    Returns:
        Points `[B, S, 2, N]`.
    """
    weights = _weights(time, points.shape[2])
    result: Tensor = points.transpose(2, 3) @ weights
    return result


def _weights(time: Tensor, count: int) -> Tensor:
    """The weights of `count` control points at each parameter, by Bernstein polynomials: `[B, S, count, N]`."""
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
    """Curve parameters `[B, S, N]` of the points nearest to N pixels, and the offsets `[B, S, 2, N]` to the pixels."""
    x, y = _centers(height, width, points.device)
    pixels = torch.stack([x.expand(height, -1), y.expand(-1, width)]).flatten(1)
    return _refined(points, _nearest(points, x, y, samples).flatten(2), pixels, 1 / samples)


def curve_distance(
    points: Tensor, height: int, width: int, samples: int, search: Search = nearest_places
) -> Tensor:
    """The distance of each pixel's center to each chain of curves, `[B, S, H, W]`, differentiable.

    The nearest point is searched without recording gradients. By the envelope theorem, the gradient of the distance
    equals that of the distance to this fixed point, so only its curve parameter has to be kept.

    Args:
        points: control points `[B, S, 3 P + 1, 2]`.
        height: height of the picture in pixels.
        width: width of the picture in pixels.
        samples: number of line segments for each curve in the search.
        search: `nearest_places`, plain or compiled.
    """
    parts = _parts(points.detach(), height * width)
    found = [search(part, height, width, samples) for part in parts]
    time, offset = (torch.cat(each, dim=1) for each in zip(*found, strict=True))
    made: Tensor = _Distance.apply(points, time, offset)
    return made.unflatten(2, (height, width))


class _Distance(torch.autograd.Function):
    """The lengths `[B, S, N]` of offsets `[B, S, 2, N]`, with the gradient for the control points."""

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
    """Split strokes `[B, S, ...]` into even parts of about `TOGETHER` pixels; on a GPU, one part."""
    batch, count = strokes.shape[:2]
    least = -(-batch * count * pixels // TOGETHER) if strokes.device.type == "cpu" else 1
    return strokes.tensor_split(max(1, min(count, least)), dim=1)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Dot products `[B, S, N]` of vectors `[B, S, 2, N]`; torch's sum over such a short axis is many times slower."""
    return torch.addcmul(a[:, :, 0] * b[:, :, 0], a[:, :, 1], b[:, :, 1])


def _centers(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.arange(width, device=device) + 0.5, torch.arange(height, device=device)[:, None] + 0.5


def _nearest(points: Tensor, x: Tensor, y: Tensor, samples: int) -> Tensor:
    """The curve parameter of the nearest point on a polyline of the curve: `[B, S, H, W]`."""
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
    """Refine curve parameters by two Newton steps toward the nearest point of the curve, by at most `reach`.

    Where the curve bends, the polyline's nearest point is wrong by some pixels along the curve, and thin lines would
    break. At cusps the derivative is nearly 0 and a step may go anywhere, so a step is kept only if it comes nearer.

    Returns:
        The parameters, and the offsets `[B, S, 2, N]` from those points to the pixels.
    """
    low, high = (time - reach).clamp_(min=0), (time + reach).clamp_(max=(points.shape[2] - 1) // 3)
    powers = _powers(points)
    there, speed, turn = _moving(powers, time)
    offset = away = pixels - there
    best, moved = _dot(away, away), time
    for _ in range(2):
        square = _dot(speed, speed)
        bend = square - _dot(away, turn)
        bend = torch.where(bend > 0.1 * square, bend, square).clamp_(min=1e-3)  # else it could move away
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
    """The coefficients of 1, t, t^2 and t^3 of each curve: `[B, S, 4, 2, P]`."""
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
    """The point and its first and second derivative at each curve parameter, each `[B, S, 2, N]`."""
    pieces = powers.shape[-1]
    piece = time.floor().clamp_(0, pieces - 1)
    t = (time - piece)[:, :, None]
    if pieces > 1:
        which = piece.long()[:, :, None, None].expand(-1, -1, 4, 2, -1)
        powers = powers.gather(4, which)
    a, b, c, d = powers.unbind(dim=2)
    return a + t * (b + t * (c + t * d)), b + t * (2 * c + t * 3 * d), 2 * c + t * 6 * d


def coverage(distance: Tensor, width: Tensor, softness: float) -> Tensor:
    """The share of each pixel that a stroke covers: `[B, S, H, W]` in [0, 1].

    Args:
        distance: `[B, S, H, W]` from the stroke's center line, in pixels.
        width: `[B, S]` of the stroke, in pixels.
        softness: the distance from the edge, in pixels, within which a pixel influences the stroke.

    The value is the overlap of the stroke with a box of one pixel, as in SVG renderers. It is constant except at the
    edge, so its own gradient would hardly ever move a stroke. The gradient is therefore that of a sigmoid with a scale
    of `softness` pixels, which has the same integral: the value is exact, the gradient is blurred.
    """
    made: Tensor = _Coverage.apply(distance, (width / 2)[..., None, None], softness)
    return made


class _Coverage(torch.autograd.Function):
    """The exact value with a blurred gradient; written by hand, since autograd would keep many large tensors."""

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
    """Paint strokes over each other on paper, the last one on top.

    Args:
        cover: `[B, S, H, W]` coverage.
        colors: `[B, S, 4]` sRGB and opacity in [0, 1].
        paper: `[B, 3]` sRGB.

    Returns:
        The picture `[B, 3, H, W]`. Colors mix as sRGB values, as in browsers.
    """
    image = paper[:, :, None, None].expand(-1, -1, *cover.shape[-2:])
    # unbind, not indexing: the gradient of each indexed stroke would be as large as that of all strokes.
    for share, color in zip(cover.unsqueeze(2).unbind(1), colors[..., None, None].unbind(1), strict=True):
        image = torch.lerp(image, color[:, :3], share * color[:, 3:])
    return image
