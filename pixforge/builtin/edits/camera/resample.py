"""Move a picture by a homography and lose as little as possible, since a film does so in every frame.

Interpolation by B-splines of the fifth degree (Unser, "Splines: a perfect fit for signal and image processing", 1999): a
filter first makes coefficients of the pixels, so that the spline goes through all of them. Its basis is positive, so two
neighboring coefficients are fetched by one bilinear sample, and the 36 of a pixel by nine.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

from pixforge.contracts.constants import constant

DEGREE = 5
TAPS = DEGREE + 1
REACH = 24
"""How far a pixel reaches in the filter: beyond, its share is below a billionth."""
MARGIN = 4
_BLOCK = 64
_ROUNDS = 3
_CLOSEST = 1e-3


@cache
def _filter() -> tuple[float, ...]:
    """The inverse of the spline's values at whole numbers, (1, 26, 66, 26, 1) / 120."""
    samples = np.zeros(256)
    samples[[0, 1, 2, -2, -1]] = np.array([66.0, 26, 1, 1, 26]) / 120
    inverse = np.fft.ifft(1 / np.fft.fft(samples)).real
    return tuple(np.roll(inverse, REACH)[: 2 * REACH + 1].tolist())


def moved(
    images: torch.Tensor, matrices: torch.Tensor, infill: str, color: torch.Tensor | None = None
) -> torch.Tensor:
    """Pictures `[B, C, H, W]` moved by homographies `[3, 3]` or `[B, 3, 3]` from the new to the old picture, in [-1, 1].

    Args:
        images: in [0, 1].
        matrices: on the host.
        infill: what comes in from outside: `mirror`, `wrap`, `border` (the outermost pixels) or `color`.
        color: `[C]`, for `color`.
    """
    height, width = images.shape[-2:]
    x, y = _places(matrices, height, width, images)
    outside = None
    if infill == "color":
        outside = 1 - _covered(x, width) * _covered(y, height)
    x, y = _inside(x, width, infill), _inside(y, height, infill)
    result = _sampled(_coefficients(images, infill), x, y).clamp_(0, 1)
    if outside is not None and color is not None:
        result = result.lerp(color.to(result)[:, None, None].expand_as(result), outside.unsqueeze(1))
    return result


def fetched(images: torch.Tensor, x: torch.Tensor, y: torch.Tensor, infill: str) -> torch.Tensor:
    """Pictures `[B, C, H, W]` whose pixels come from places `[B or 1, H, W]`, in pixels from the center of the first one."""
    height, width = images.shape[-2:]
    x, y = _inside(x, width, infill), _inside(y, height, infill)
    return _sampled(_coefficients(images, infill), x, y).clamp_(0, 1)


def moved_in_space(
    images: torch.Tensor,
    depth: torch.Tensor,
    matrices: tuple[torch.Tensor, torch.Tensor],
    relief: float,
    infill: str,
    color: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures `[B, C, H, W]` and their nearness `[B or 1, 1, H, W]` in [0, 1] after a move in space.

    What a translation of the camera does to a point grows with one over its distance; what a rotation does is the same for
    all. So the difference between both homographies counts `1 - relief` times for the farthest and `1 + relief` times for the
    nearest. Which point is seen at a place depends on how near it is, so it is looked for in three
    rounds, from the nearest on, which hides the others.

    Args:
        images: in [0, 1].
        depth: nearness of every point of the picture.
        matrices: the whole move, and its part that is the same for all; as for `moved`.
        relief: from 0, no space, to 1.
        infill: as for `moved`; a `color` comes in from outside for `color`.
        color: `[C]`.
    """
    height, width = images.shape[-2:]
    whole, turned = (_places(each, height, width, images) for each in matrices)
    x, y = (b + (a - b) * (1 + relief) for a, b in zip(whole, turned, strict=True))
    for _ in range(_ROUNDS):
        grid = torch.stack(
            [
                (2 * _inside(x, width, "mirror") + 1) / width - 1,
                (2 * _inside(y, height, "mirror") + 1) / height - 1,
            ],
            dim=-1,
        )
        grid = grid.expand(len(depth), -1, -1, -1)
        near = F.grid_sample(depth, grid, padding_mode="border", align_corners=False)[:, 0]
        factor = 1 + relief * (2 * near - 1)
        x, y = (b + (a - b) * factor for a, b in zip(whole, turned, strict=True))
    result = fetched(images, x, y, infill)
    if infill == "color" and color is not None:
        outside = (1 - _covered(x, width) * _covered(y, height)).unsqueeze(1)
        result = result.lerp(color.to(result)[:, None, None].expand_as(result), outside)
    return result, near.unsqueeze(1)


def _places(
    matrices: torch.Tensor, height: int, width: int, like: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each new pixel was, in pixels from the center of the first one: x and y, each `[B or 1, H, W]`."""
    matrices = matrices.view(-1, 3, 3).double()
    to_pixels = torch.tensor(
        [[width / 2, 0, (width - 1) / 2], [0, height / 2, (height - 1) / 2], [0, 0, 1]], dtype=torch.float64
    )
    whole = (to_pixels @ matrices @ to_pixels.inverse()).to(like)[..., None, None]
    column = torch.arange(width, device=like.device, dtype=like.dtype)
    row = torch.arange(height, device=like.device, dtype=like.dtype)[:, None]
    x, y, depth = (whole[:, k, 0] * column + (whole[:, k, 1] * row + whole[:, k, 2]) for k in range(3))
    depth = depth.clamp(min=_CLOSEST)  # points at or behind the horizon would be mirrored
    return x / depth, y / depth


def _covered(place: torch.Tensor, count: int) -> torch.Tensor:
    """How much of a pixel lies within the picture."""
    return (place + 1).clamp(0, 1) * (count - place).clamp(0, 1)


def _inside(place: torch.Tensor, count: int, infill: str) -> torch.Tensor:
    """A place in the picture that looks like this one outside."""
    if infill == "wrap":
        return (place + 0.5).remainder(count) - 0.5
    if infill == "mirror":
        folded = (place + 0.5).remainder(2 * count)
        return torch.minimum(folded, 2 * count - folded) - 0.5
    return place.clamp(0, count - 1)


def _coefficients(images: torch.Tensor, infill: str) -> torch.Tensor:
    """Of the spline, with a margin of `MARGIN` on each side."""
    for _ in range(2):
        images = _filtered(images, infill).transpose(-1, -2)
    return images


def _filtered(images: torch.Tensor, infill: str) -> torch.Tensor:
    """The filter along the rows, by products of matrices that make `_BLOCK` coefficients each; a convolution takes longer."""
    count = images.shape[-1]
    wanted = count + 2 * MARGIN
    blocks = -(-wanted // _BLOCK)
    index = torch.arange(blocks * _BLOCK + 2 * REACH, device=images.device) - (REACH + MARGIN)
    if infill == "wrap":
        index = index.remainder(count)
    elif infill == "mirror":
        index = index.remainder(2 * count)
        index = torch.minimum(index, 2 * count - 1 - index)
    else:
        index = index.clamp(0, count - 1)
    pieces = images.index_select(-1, index).unfold(-1, _BLOCK + 2 * REACH, _BLOCK)
    kernel = F.pad(constant(_filter(), images.device).to(images.dtype), (_BLOCK - 1, _BLOCK - 1))
    # Each row has the filter one place further to the right.
    matrix = kernel.unfold(0, _BLOCK + 2 * REACH, 1).flip(0)
    result = pieces.reshape(-1, pieces.shape[-1]) @ matrix.T
    return result.view(*images.shape[:-1], -1)[..., :wanted]


@cache
def _basis() -> tuple[tuple[float, ...], ...]:
    """The six pieces of the spline as polynomials `[6, 6]`: for each weight the factors of 1, t, t^2 to t^5."""
    pieces = np.zeros((TAPS, TAPS))
    for tap in range(TAPS):
        # (-1)^k C(6, k) (d - k)^5 / 120 for all k < d, where d is how far the place is within the piece's six pixels.
        whole = TAPS - 1 - tap
        for k in range(whole + 1):
            for power in range(TAPS):
                term = math.comb(DEGREE, power) * float(whole - k) ** (DEGREE - power)
                pieces[tap, power] += (-1) ** k * math.comb(TAPS, k) * term / math.factorial(DEGREE)
    return tuple(tuple(row) for row in pieces.tolist())


def _weights(share: torch.Tensor) -> torch.Tensor:
    """The six weights `[6, ...]` of the basis for a place that is `share` after the third coefficient."""
    powers = [torch.ones_like(share), share]
    while len(powers) < TAPS:
        powers.append(powers[-1] * share)
    basis = constant(_basis(), share.device).to(share.dtype)
    return (basis @ torch.stack(powers).flatten(1)).view(TAPS, *share.shape)


def _pairs(place: torch.Tensor, count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Three samples of two coefficients each: their weights, and where they are from -1 to 1 in `count` coefficients."""
    first = place.floor()
    weights = _weights(place - first)
    found = []
    for pair in range(TAPS // 2):
        left, right = weights[2 * pair], weights[2 * pair + 1]
        both = left + right
        at = first + (MARGIN - 2 + 2 * pair) + right / both
        found.append((both, at * (2 / (count - 1)) - 1))
    return found


def _sampled(coefficients: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    height, width = coefficients.shape[-2:]
    batch = coefficients.shape[0]
    rows = _pairs(y, height)
    grid = torch.stack([x, y], dim=-1)
    total: torch.Tensor | None = None
    for across, at_x in _pairs(x, width):
        grid[..., 0] = at_x
        for down, at_y in rows:
            grid[..., 1] = at_y
            part = F.grid_sample(coefficients, grid.expand(batch, -1, -1, -1), align_corners=True)
            weight = (across * down).unsqueeze(1)
            total = part.mul_(weight) if total is None else total.addcmul_(part, weight)
    assert total is not None
    return total
