"""Squares of random size at random places, some of them of the whole picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Config, Cutouts, Range, Schedule
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch


class RandomConfig(Config):
    """How many, how large, how often the whole."""

    type: Literal["random"] = "random"
    count: int = Field(32, ge=1, le=4096, strict=True, description="Cutouts of each picture in each step.")
    smallest: Annotated[Schedule, Range(gt=0, le=1)] = Field(
        Schedule(0.45), description="Smallest side, as a share of the picture's shorter side."
    )
    largest: Annotated[Schedule, Range(gt=0, le=1)] = Field(
        Schedule(1.0), description="Largest side, likewise."
    )
    power: Annotated[Schedule, Range(gt=0, le=10)] = Field(
        Schedule(1.0), description="Sizes are random^power between the two: above 1 favors small cutouts."
    )
    overview: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.33), description="Share of the cutouts that show the whole picture."
    )
    padding: Literal["reflection", "border", "wrap", "gray"] = Field(
        "reflection", description="What a cutout shows where it reaches beyond the picture."
    )


class Random(Cutouts[RandomConfig]):
    """Side random^power * (largest - smallest) + smallest, place uniform inside the picture, as in VQGAN-CLIP.

    The first `overview` share of them is the whole picture instead, the smallest square around it.
    """

    @property
    def count(self) -> int:
        """K."""
        return self.config.count

    @property
    def padding(self) -> str:
        """As configured."""
        return self.config.padding

    def boxes(self, draws: Stream, size: tuple[int, int], step: int) -> torch.Tensor:
        """Scale and shift of each square."""
        from pixforge.builtin.cutouts.geometry import squares

        config, steps, count = self.config, self.scene.steps, self.config.count
        smallest, largest = config.smallest.at(step, steps), config.largest.at(step, steps)
        grown, x, y = draws.rand(3, count).unbind(dim=1)
        side = (grown ** config.power.at(step, steps) * (largest - smallest) + smallest) * min(size)
        overviews = round(config.overview.at(step, steps) * count)
        side[:, :overviews] = max(size)  # in the middle they are the smallest square around the whole
        x[:, :overviews] = y[:, :overviews] = 0.5
        return squares(x * (size[0] - side), y * (size[1] - side), side, size)
