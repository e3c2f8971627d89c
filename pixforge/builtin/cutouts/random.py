"""Squares of random size at random places, and a share of overviews of the whole picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Config, Cutouts, Range, Schedule
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class RandomConfig(Config):
    """Number and sizes of the cutouts, and the share of overviews."""

    type: Literal["random"] = "random"
    count: int = Field(32, ge=1, le=4096, strict=True, description="Cutouts of each picture in each step.")
    smallest: Annotated[Schedule, Range(gt=0, le=1)] = Field(
        Schedule(0.45), description="Smallest side, as a share of the picture's shorter side."
    )
    largest: Annotated[Schedule, Range(gt=0, le=1)] = Field(
        Schedule(1.0), description="Largest side, as a share of the picture's shorter side."
    )
    power: Annotated[Schedule, Range(gt=0, le=10)] = Field(
        Schedule(1.0),
        description="Sides are smallest + random^power * (largest - smallest); above 1 favors small cutouts.",
    )
    overview: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.33), description="Share of cutouts that show the whole picture."
    )
    padding: Literal["reflection", "border", "wrap", "gray", "black"] = Field(
        "reflection", description="What a cutout shows outside the picture."
    )


class Random(Cutouts[RandomConfig]):
    """Square cutouts as in VQGAN-CLIP: side random^power * (largest - smallest) + smallest, uniform in the picture.

    The first cutouts, a share of `overview`, show the smallest square around the whole picture instead.
    """

    @property
    def count(self) -> int:
        """K, the number of cutouts."""
        return self.config.count

    @property
    def padding(self) -> str:
        """The padding of the configuration."""
        return self.config.padding

    def boxes(self, draws: Stream, size: tuple[int, int], step: int) -> torch.Tensor:
        """Place squares of random size, the overviews first."""
        from pixforge.builtin.cutouts.geometry import squares

        config, value, count = self.config, self.context.value, self.config.count
        smallest, largest = value(config.smallest, step), value(config.largest, step)
        grown, x, y = draws.rand(3, count).unbind(dim=1)
        side = (grown ** value(config.power, step) * (largest - smallest) + smallest) * min(size)
        overviews = round(value(config.overview, step) * count)
        side[:, :overviews] = max(size)  # the smallest square around the picture, centered by x and y
        x[:, :overviews] = y[:, :overviews] = 0.5
        return squares(x * (size[0] - side), y * (size[1] - side), side, size)
