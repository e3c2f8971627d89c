"""Aphantasia's cutouts: any size down to the perceptor's own, some of them almost the whole, and seamless edges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pixforge.builtin.cutouts.placed import Placed
from pixforge.contracts import Config, Placement, Range, Schedule
from pixforge.contracts.draws import Stream

LARGE = 0.9
CENTER, SPREAD = 0.5, 0.2


class AphantasiaConfig(Config):
    """Sizes, places, and whether the picture goes on beyond its edges."""

    type: Literal["aphantasia"] = "aphantasia"
    count: int = Field(
        32,
        ge=1,
        le=4096,
        strict=True,
        description="Cutouts of each picture in each step; aphantasia takes 200.",
    )
    macro: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.4), description="Share of the cutouts that are at least 0.9 of the shorter side."
    )
    smallest: float | None = Field(
        None, gt=0, le=1,
        description="Smallest side of the others, as a share of the shorter side; by default the perceptor's input size.",
    )  # fmt: skip
    align: Literal["uniform", "central"] = Field(
        "uniform", description="Places: anywhere alike, or normally distributed around the middle."
    )
    overscan: float = Field(
        1.0, ge=1, le=4,
        description="Cutouts lie in the picture and its repetitions, that much wider and higher: 1.5 or 2 makes edges "
        "that fit each other.",
    )  # fmt: skip


class Aphantasia(Placed[AphantasiaConfig]):
    """Side uniform from the perceptor's own (with probability `macro` from 0.9) to the shorter side, as aphantasia slices."""

    @property
    def padding(self) -> str:
        """The picture goes on beyond its edges when it is meant to."""
        return "wrap" if self.config.overscan > 1 else "reflection"

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:
        """Squares in the picture, or in its repetition around it."""
        import torch

        from pixforge.builtin.cutouts.geometry import smallest_side, squares

        config, count = self.config, self.count
        grown, chance = draws.rand(2, count).unbind(dim=1)
        macro = chance < config.macro.at(step, self.scene.steps)
        smallest = torch.where(macro, LARGE * min(size), smallest_side(config.smallest, size, input_size))
        side = grown * (min(size) - smallest) + smallest
        central = config.align == "central"
        shares = (draws.randn(2, count) * SPREAD + CENTER).clamp(0, 1) if central else draws.rand(2, count)
        places = [
            share * (length * config.overscan - side) - length * (config.overscan - 1) / 2
            for share, length in zip(shares.unbind(dim=1), size, strict=True)
        ]
        return Placement(squares(places[0], places[1], side, size), self.padding)
