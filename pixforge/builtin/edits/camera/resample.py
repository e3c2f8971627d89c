"""Move a picture by a homography and lose as little as possible, since a film does so in every frame.

Interpolation by B-splines of the fifth degree (Unser, "Splines: a perfect fit for signal and image processing", 1999): a
filter first makes coefficients of the pixels, so that the spline goes through all of them. Its basis is positive, so two
neighboring coefficients are fetched by one bilinear sample, and the 36 of a pixel by nine.
"""

from __future__ import annotations

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
    """Pictures `[B, C, H, W]` and their nearness `[1, 1, H, W]` in [0, 1] after a move in space.

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
    kernel = constant(_filter(), images.device).to(images.dtype)
    batch, channels = images.shape[:2]
    for axis in (2, 3):
        count = images.shape[axis]
        index = torch.arange(-REACH - MARGIN, count + REACH + MARGIN, device=images.device)
        if infill == "wrap":
            index = index.remainder(count)
        elif infill == "mirror":
            index = index.remainder(2 * count)
            index = torch.minimum(index, 2 * count - 1 - index)
        else:
            index = index.clamp(0, count - 1)
        images = images.index_select(axis, index)
        shape = (1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1)
        images = F.conv2d(images.flatten(0, 1).unsqueeze(1), kernel.view(shape))
        images = images.view(batch, channels, *images.shape[-2:])
    return images


def _weights(share: torch.Tensor) -> list[torch.Tensor]:
    """The six weights of the basis for a place that is `share` after the third coefficient."""
    powers = [share, 1 - share]
    second = [each.square() for each in powers]
    fourth = [each.square() for each in second]
    outer = [fourth[0] * powers[0] / 120, fourth[1] * powers[1] / 120]

    def ring(a: torch.Tensor) -> torch.Tensor:
        """At the distance 1 + a, for a in [0, 1]."""
        return (
            1 + 5 * (1 - a) + 10 * (1 - a) ** 2 + 10 * (1 - a) ** 3 + 5 * (1 - a) ** 4 - 5 * (1 - a) ** 5
        ) / 120

    def middle(a: torch.Tensor) -> torch.Tensor:
        """At the distance a, for a in [0, 1]."""
        return (66 - 60 * a**2 + 30 * a**4 - 10 * a**5) / 120

    s, t = powers
    return [outer[1], ring(s), middle(s), middle(t), ring(t), outer[0]]


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
    total: torch.Tensor | None = None
    for across, at_x in _pairs(x, width):
        for down, at_y in rows:
            grid = torch.stack([at_x, at_y], dim=-1).expand(batch, -1, -1, -1)
            part = F.grid_sample(coefficients, grid, align_corners=True) * (across * down).unsqueeze(1)
            total = part if total is None else total.add_(part)
    assert total is not None
    return total
