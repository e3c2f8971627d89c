"""What a camera does between two frames, as one homography."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


Rows = list[list[float]]
"""A matrix."""
_NOTHING = 1e-9


@dataclass(frozen=True)
class Motion:
    """A move of the picture: a factor, shares of its sides, degrees, and a share of its height for the shear."""

    zoom: float = 1.0
    pan_x: float = 0.0
    pan_y: float = 0.0
    rotate: float = 0.0
    shear: float = 0.0
    tilt: float = 0.0
    turn: float = 0.0


def forward(motion: Motion, aspect: float, center: tuple[float, float], field_of_view: float) -> Rows:
    """The homography from the old picture to the new one, each in units of half the height, so that rotations are round.

    Args:
        motion: what the picture does.
        aspect: width over height.
        center: of all but the pan, as shares of width and height.
        field_of_view: vertical angle in degrees that the picture fills, for tilt and turn.
    """
    x, y = (center[0] * 2 - 1) * aspect, center[1] * 2 - 1
    angle, tilt, turn = (math.radians(each) for each in (motion.rotate, motion.tilt, motion.turn))
    near = math.tan(math.radians(field_of_view) / 2)  # one over the distance of the eye
    moves: list[Rows] = [
        [[1, 0, x + motion.pan_x * 2 * aspect], [0, 1, y + motion.pan_y * 2], [0, 0, 1]],
        [[math.cos(turn), 0, 0], [0, 1, 0], [math.sin(turn) * near, 0, 1]],
        [[1, 0, 0], [0, math.cos(tilt), 0], [0, -math.sin(tilt) * near, 1]],
        [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]],
        [[1, -motion.shear, 0], [0, 1, 0], [0, 0, 1]],
        [[motion.zoom, 0, 0], [0, motion.zoom, 0], [0, 0, 1]],
        [[1, 0, -x], [0, 1, -y], [0, 0, 1]],
    ]
    return reduce(_product, moves)


def homography(
    motion: Motion, size: tuple[int, int], center: tuple[float, float], field_of_view: float
) -> torch.Tensor:
    """`[3, 3]` from the new picture to the old one, each in [-1, 1], float64 on the host; the arguments of `forward`."""
    import torch

    aspect = size[0] / size[1]
    moved = torch.tensor(forward(motion, aspect, center, field_of_view), dtype=torch.float64)
    units = torch.tensor([[aspect, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
    back: torch.Tensor = units.inverse() @ moved.inverse() @ units
    return back.div_(back[2, 2].clone())


def stays_in_sight(moved: Rows, aspect: float) -> bool:
    """Whether anything of a picture is still on the canvas after the move that `forward` gives.

    Its outline is cut off at the four sides of the canvas and at the horizon, in homogeneous coordinates.
    """
    corners = [(-aspect, -1.0, 1.0), (aspect, -1.0, 1.0), (aspect, 1.0, 1.0), (-aspect, 1.0, 1.0)]
    outline = [[_dot(row, corner) for row in moved] for corner in corners]
    sides = [(0, 0, 1), (-1, 0, aspect), (1, 0, aspect), (0, -1, 1), (0, 1, 1)]
    for side in sides:
        outline = _cut(outline, side)
    return bool(outline)


def _cut(outline: list[list[float]], side: Sequence[float]) -> list[list[float]]:
    """The part of a polygon on the positive side of a plane through the origin (Sutherland and Hodgman, 1974)."""
    kept = []
    for before, point in zip(outline[-1:] + outline[:-1], outline, strict=True):
        was, now = _dot(side, before), _dot(side, point)
        if (was > _NOTHING) != (now > _NOTHING):
            share = was / (was - now)
            kept.append([a + (b - a) * share for a, b in zip(before, point, strict=True)])
        if now > _NOTHING:
            kept.append(point)
    return kept


def _product(left: Rows, right: Rows) -> Rows:
    columns = list(zip(*right, strict=True))
    return [[_dot(row, column) for column in columns] for row in left]


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))
