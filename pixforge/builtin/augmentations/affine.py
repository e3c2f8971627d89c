"""Random rotation, shift, zoom and shear of cutouts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class AffineConfig(Config):
    """The largest amounts, in both directions."""

    type: Literal["affine"] = "affine"
    degrees: Annotated[Schedule, Range(ge=0, le=180)] = Field(Schedule(10.0), description="Largest rotation.")
    translate: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.05), description="Largest shift, as a share of the cutout's side."
    )
    zoom: Annotated[Schedule, Range(ge=0, le=0.9)] = Field(
        Schedule(0.1),
        description="Largest change of the side of what the cutout shows: 0.1 means a factor from 0.9 to 1.1.",
    )
    shear: Annotated[Schedule, Range(ge=0, le=60)] = Field(
        Schedule(0.0), description="Largest shear, in degrees."
    )
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(1.0), description="Share of cutouts that are moved."
    )


class Affine(Augmentation[AffineConfig]):
    """Rotates, shifts, zooms and shears each cutout by uniform random amounts."""

    def warp(self, draws: Stream, count: int, step: int) -> torch.Tensor:
        """The matrices `[B, K, 3, 3]`: rotation times shear times zoom, with a shift."""
        import torch

        config, value = self.config, self.context.value
        shares = draws.uniform(-1.0, 1.0, 5, count)
        applied = value(config.probability, step)
        if applied < 1:
            shares = shares * (draws.rand(count) < applied).float()[:, None]
        turn, slant, size, x, y = shares.unbind(dim=1)
        angle = turn * math.radians(value(config.degrees, step))
        shear = (slant * math.radians(value(config.shear, step))).tan()
        zoom = 1 + size * value(config.zoom, step)
        shift = 2 * value(config.translate, step)
        cos, sin = angle.cos() * zoom, angle.sin() * zoom
        zero, one = torch.zeros_like(cos), torch.ones_like(cos)
        rows = [cos, cos * shear - sin, x * shift, sin, sin * shear + cos, y * shift, zero, zero, one]
        return torch.stack(rows, dim=-1).reshape(*cos.shape, 3, 3)
