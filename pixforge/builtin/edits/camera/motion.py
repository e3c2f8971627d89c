"""What a camera does between two frames, as one homography."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


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


def homography(
    motion: Motion, size: tuple[int, int], center: tuple[float, float], field_of_view: float
) -> torch.Tensor:
    """`[3, 3]` from the new picture to the old one, each in [-1, 1], float64 on the host.

    Args:
        motion: what the picture does.
        size: (width, height) in pixels.
        center: of all but the pan, as shares of width and height.
        field_of_view: vertical angle in degrees that the picture fills, for tilt and turn.
    """
    # All in units of half the height, so that rotations are round.
    aspect = size[0] / size[1]
    x, y = (center[0] * 2 - 1) * aspect, center[1] * 2 - 1
    angle, tilt, turn = (math.radians(each) for each in (motion.rotate, motion.tilt, motion.turn))
    near = math.tan(math.radians(field_of_view) / 2)  # one over the distance of the eye
    moves = [
        _matrix([[1, 0, x + motion.pan_x * 2 * aspect], [0, 1, y + motion.pan_y * 2], [0, 0, 1]]),
        _matrix([[math.cos(turn), 0, 0], [0, 1, 0], [math.sin(turn) * near, 0, 1]]),
        _matrix([[1, 0, 0], [0, math.cos(tilt), 0], [0, -math.sin(tilt) * near, 1]]),
        _matrix([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]]),
        _matrix([[1, -motion.shear, 0], [0, 1, 0], [0, 0, 1]]),
        _matrix([[motion.zoom, 0, 0], [0, motion.zoom, 0], [0, 0, 1]]),
        _matrix([[1, 0, -x], [0, 1, -y], [0, 0, 1]]),
    ]
    forward = torch.linalg.multi_dot(moves)
    units = _matrix([[aspect, 0, 0], [0, 1, 0], [0, 0, 1]])
    back: torch.Tensor = units.inverse() @ forward.inverse() @ units
    return back.div_(back[2, 2].clone())


def _matrix(rows: list[list[float]]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)
