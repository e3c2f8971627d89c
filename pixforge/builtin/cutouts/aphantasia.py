"""Aphantasia's cutouts: sizes down to the perceptor's input, a share of large ones, and optionally seamless edges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pixforge.builtin.cutouts.placed import Placed
from pixforge.contracts import Config, Placement, Range, Schedule
from pixforge.contracts.random import Stream

LARGE = 0.9
CENTER, SPREAD = 0.5, 0.2


class AphantasiaConfig(Config):
    """Sizes and places of the cutouts, and whether the picture repeats beyond its edges."""

    type: Literal["aphantasia"] = "aphantasia"
    count: int = Field(
        32,
        ge=1,
        le=4096,
        strict=True,
        description="Cutouts of each picture in each step; aphantasia takes 200.",
    )
    macro: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.4),
        description="Share of cutouts whose side is at least 0.9 of the picture's shorter side.",
    )
    smallest: float | None = Field(
        None, gt=0, le=1,
        description="Smallest side of the other cutouts, as a share of the shorter side; by default the perceptor's "
        "input size.",
    )  # fmt: skip
    align: Literal["uniform", "central"] = Field(
        "uniform",
        description="Places of the cutouts: uniform over the picture, or normally distributed around its middle.",
    )
    overscan: float = Field(
        1.0, ge=1, le=4,
        description="Cutouts lie in an area this much wider and higher than the picture, which repeats there; 1.5 or 2 "
        "makes opposite edges fit together.",
    )  # fmt: skip


class Aphantasia(Placed[AphantasiaConfig]):
    """Square cutouts as in aphantasia.

    The side is uniform between the perceptor's input size and the picture's shorter side; with probability `macro`
    it is uniform between 0.9 and 1 of the shorter side.
    """

    @property
    def padding(self) -> str:
        """`wrap` with an overscan, otherwise `reflection`."""
        return "wrap" if self.config.overscan > 1 else "reflection"

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:
        """Place the squares in the picture and, with an overscan, in its repetitions around it."""
        import torch

        from pixforge.builtin.cutouts.geometry import smallest_side, squares

        config, count = self.config, self.count
        grown, chance = draws.rand(2, count).unbind(dim=1)
        macro = chance < self.context.value(config.macro, step)
        smallest = torch.where(macro, LARGE * min(size), smallest_side(config.smallest, size, input_size))
        side = grown * (min(size) - smallest) + smallest
        central = config.align == "central"
        shares = (draws.randn(2, count) * SPREAD + CENTER).clamp(0, 1) if central else draws.rand(2, count)
        places = [
            share * (length * config.overscan - side) - length * (config.overscan - 1) / 2
            for share, length in zip(shares.unbind(dim=1), size, strict=True)
        ]
        return Placement(squares(places[0], places[1], side, size), self.padding)
