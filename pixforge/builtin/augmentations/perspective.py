"""Random perspective distortion of cutouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.constants import constant
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


_ALWAYS_CONVEX = 2 / 3
"""Up to this distortion no corner can pass the line between its neighbors."""
_LEAST_TURN = 1e-3


class PerspectiveConfig(Config):
    """How strong the distortion is, and how often it happens."""

    type: Literal["perspective"] = "perspective"
    distortion: Annotated[Schedule, Range(ge=0, le=0.9)] = Field(
        Schedule(0.3),
        description="How far each corner moves inwards at most, as a share of half the cutout's side.",
    )
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.7), description="Share of cutouts that are distorted."
    )


class Perspective(Augmentation[PerspectiveConfig]):
    """Shrinks each cutout into a random quadrilateral; each corner moves independently.

    Around it appears what lies around the cutout in the picture, and outside the picture the padding of the cutouts
    (`black` as in torchvision and kornia).
    """

    def warp(self, draws: Stream, count: int, step: int) -> torch.Tensor:
        """The homographies `[B, K, 3, 3]` from the quadrilaterals to the square."""
        distortion = self.context.value(self.config.distortion, step)
        probability = self.context.value(self.config.probability, step)
        return quad_to_square(random_quads(draws, count, distortion, probability))


def random_quads(draws: Stream, count: int, distortion: float, probability: float) -> torch.Tensor:
    """Random corners `[B, K, 4, 2]`: each coordinate of [-1, 1]^2 moves inwards by up to `distortion`.

    This happens with `probability`; otherwise all four corners stay.
    """
    applied = (draws.rand(count) < probability).float()
    inwards = draws.rand(count, 4, 2) * (distortion * applied)[..., None, None]
    square = constant([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], inwards.device)
    quads = square * (1 - inwards)
    if distortion <= _ALWAYS_CONVEX:
        return quads
    # A corner beyond the line between its neighbors would turn the picture inside out.
    whole = square * (1 - inwards.mean(dim=(-2, -1), keepdim=True))
    return quads.where(_convex(quads)[..., None, None], whole)


def _convex(quads: torch.Tensor) -> torch.Tensor:
    """Whether each quadrilateral `[..., 4, 2]` is convex, and not nearly flat at a corner."""
    edges = quads.roll(-1, dims=-2) - quads
    after = edges.roll(-1, dims=-2)
    turns = edges[..., 0] * after[..., 1] - edges[..., 1] * after[..., 0]
    return (turns > _LEAST_TURN).all(dim=-1)


def quad_to_square(corners: torch.Tensor) -> torch.Tensor:
    """Homographies `[..., 3, 3]` from the convex quadrilaterals with the `corners` `[..., 4, 2]` to [-1, 1]^2."""
    import torch

    inverse: torch.Tensor = torch.linalg.inv_ex(square_to_quad(corners))[0]
    return inverse / inverse[..., 2:, 2:]


def square_to_quad(corners: torch.Tensor) -> torch.Tensor:
    """Homographies `[..., 3, 3]` from [-1, 1]^2 to the quadrilaterals with the `corners` `[..., 4, 2]`.

    The corners are those of (-1,-1), (1,-1), (1,1) and (-1,1), in this order. This is the closed form of Heckbert's
    thesis (1989, section 2.2.3) for the unit square, after a change of coordinates.
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
