"""A tilted view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.constants import constant
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch


class PerspectiveConfig(Config):
    """How much, how often."""

    type: Literal["perspective"] = "perspective"
    distortion: Annotated[Schedule, Range(ge=0, le=0.9)] = Field(
        Schedule(0.3),
        description="How far each corner may move inwards, as a share of half the cutout's side.",
    )
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.7), description="Share of the cutouts that are tilted."
    )


class Perspective(Augmentation[PerspectiveConfig]):
    """Maps the cutout's square to a random quadrilateral inside it: each corner moves by itself."""

    def warp(self, draws: Stream, count: int, step: int) -> torch.Tensor:
        """Homographies from the square to the quadrilaterals."""
        distortion = self.config.distortion.at(step, self.scene.steps)
        probability = self.config.probability.at(step, self.scene.steps)
        return square_to_quad(random_quads(draws, count, distortion, probability))


def random_quads(draws: Stream, count: int, distortion: float, probability: float) -> torch.Tensor:
    """Corners `[B, K, 4, 2]` that lie up to `distortion` inside those of [-1, 1]^2; all four stay in the other cases."""
    applied = (draws.rand(count) < probability).float()
    inwards = draws.rand(count, 4, 2) * (distortion * applied)[..., None, None]
    square = constant([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], inwards.device)
    return square * (1 - inwards)


def square_to_quad(corners: torch.Tensor) -> torch.Tensor:
    """`[..., 3, 3]` from [-1, 1]^2 to `corners` `[..., 4, 2]`, in the order (-1,-1), (1,-1), (1,1), (-1,1).

    The closed form of Heckbert's thesis (1989, section 2.2.3) for the unit square, after a change of coordinates.
    """
    import torch

    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (corner.unbind(-1) for corner in corners.unbind(-2))
    dx1, dy1, dx2, dy2 = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    sx, sy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    bottom = dx1 * dy2 - dx2 * dy1
    g, h = (sx * dy2 - dx2 * sy) / bottom, (dx1 * sy - sx * dy1) / bottom
    one = torch.ones_like(g)
    rows = [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, one]
    unit = torch.stack(rows, dim=-1).reshape(*g.shape, 3, 3)
    halves = constant([[0.5, 0.0, 0.5], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]], corners.device)
    return unit @ halves
