"""Pytti's cutouts: mostly large, of normally distributed size, and as often at the edges as in the middle."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pixforge.builtin.cutouts.placed import Placed
from pixforge.contracts import Config, Placement, Range, Schedule
from pixforge.contracts.draws import Stream


class PyttiConfig(Config):
    """Sizes, and how far beyond the picture."""

    type: Literal["pytti"] = "pytti"
    count: int = Field(40, ge=1, le=4096, strict=True, description="Cutouts of each picture in each step.")
    mean: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.8), description="Mean of the normal distribution that sizes come from."
    )
    deviation: Annotated[Schedule, Range(ge=0, le=1)] = Field(Schedule(0.3), description="Its deviation.")
    power: Annotated[Schedule, Range(gt=0, le=10)] = Field(
        Schedule(2.0), description="Exponent of sizes: above 1 favors small cutouts."
    )
    smallest: float | None = Field(
        None, gt=0, le=1,
        description="What sizes are cut off at before the exponent, as a share of the shorter side; by default the "
        "perceptor's input size.",
    )  # fmt: skip
    border: float = Field(
        0.25,
        ge=0,
        le=1,
        description="How far a cutout may reach beyond the picture, as a share of its width and height.",
    )
    padding: Literal["clamp", "reflection", "border", "wrap", "gray"] = Field(
        "clamp",
        description="What it shows there; clamp: it is moved back inside, so that edges are seen as often as the middle.",
    )


class Pytti(Placed[PyttiConfig]):
    """Side clip(N(mean, deviation), smallest, 1)^power of the shorter one, place uniform with a border around the picture.

    Pytti's noise is the augmentation `{type: noise, amount: 0.1}`.
    """

    @property
    def padding(self) -> str:
        """Augmentations may still reach beyond a picture whose cutouts lie inside."""
        return "reflection" if self.config.padding == "clamp" else self.config.padding

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:
        """Squares of random size."""
        from pixforge.builtin.cutouts.geometry import smallest_side, squares

        config, steps = self.config, self.scene.steps
        smallest = smallest_side(config.smallest, size, input_size) / min(size)
        drawn = draws.randn(self.count) * config.deviation.at(step, steps) + config.mean.at(step, steps)
        side = drawn.clamp(smallest, 1) ** config.power.at(step, steps) * min(size)
        places = []
        for length, share in zip(size, draws.rand(2, self.count).unbind(dim=1), strict=True):
            beyond, room = length * config.border, length - side
            first = share * (room + 2 * beyond) - beyond
            places.append(first.clamp(min=0).minimum(room) if config.padding == "clamp" else first)
        return Placement(squares(places[0], places[1], side, size), self.padding)
