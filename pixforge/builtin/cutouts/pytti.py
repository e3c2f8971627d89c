"""Pytti's cutouts: mostly large, with normally distributed sizes, and as often at the edges as in the middle."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pixforge.builtin.cutouts.placed import Placed
from pixforge.contracts import Config, Placement, Range, Schedule
from pixforge.contracts.random import Stream


class PyttiConfig(Config):
    """Sizes of the cutouts, and how far they reach beyond the picture."""

    type: Literal["pytti"] = "pytti"
    count: int = Field(40, ge=1, le=4096, strict=True, description="Cutouts of each picture in each step.")
    mean: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.8), description="Mean of the normal distribution of sizes."
    )
    deviation: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.3), description="Standard deviation of the normal distribution of sizes."
    )
    power: Annotated[Schedule, Range(gt=0, le=10)] = Field(
        Schedule(2.0), description="Exponent of the sizes; above 1 favors small cutouts."
    )
    smallest: float | None = Field(
        None, gt=0, le=1,
        description="Lower limit of the size before the exponent, as a share of the shorter side; by default the "
        "perceptor's input size.",
    )  # fmt: skip
    border: float = Field(
        0.25,
        ge=0,
        le=1,
        description="How far a cutout may reach beyond the picture, as a share of its width and height; at most by the "
        "cutout's own side, so that none lies outside.",
    )
    padding: Literal["clamp", "reflection", "border", "wrap", "gray", "black"] = Field(
        "clamp",
        description="What a cutout shows outside the picture; clamp moves the cutout back inside instead, so that "
        "edges are seen as often as the middle.",
    )


class Pytti(Placed[PyttiConfig]):
    """Square cutouts as in Pytti, uniform over the picture and a border around it.

    The side is clip(N(mean, deviation), smallest, 1)^power times the picture's shorter side. Pytti's noise is the
    augmentation `{type: noise, amount: 0.1}`.
    """

    @property
    def padding(self) -> str:
        """As configured, or `reflection` for `clamp`, since augmentations may still reach outside the picture."""
        return "reflection" if self.config.padding == "clamp" else self.config.padding

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:
        """Place squares of random size."""
        from pixforge.builtin.cutouts.geometry import smallest_side, squares

        config, value = self.config, self.context.value
        smallest = smallest_side(config.smallest, size, input_size) / min(size)
        drawn = draws.randn(self.count) * value(config.deviation, step) + value(config.mean, step)
        side = drawn.clamp(smallest, 1) ** value(config.power, step) * min(size)
        places = []
        for length, share in zip(size, draws.rand(2, self.count).unbind(dim=1), strict=True):
            clamped, room = config.padding == "clamp", length - side
            beyond = length * config.border if clamped else side.clamp(max=length * config.border)
            first = share * (room + 2 * beyond) - beyond
            places.append(first.clamp(min=0).minimum(room) if clamped else first)
        return Placement(squares(places[0], places[1], side, size), self.padding)
