"""Pixray's cutouts: zoom cuts of a part of the picture, and wide cuts of the whole picture with a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.builtin.cutouts.placed import Placed
from pixforge.contracts import Config, Placement, Range, Schedule
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch

TRIES = 10
"""How many random crops are tried until one fits, as in torchvision and kornia."""


class PixrayConfig(Config):
    """Options of Pixray's cutouts, with its defaults."""

    type: Literal["pixray"] = "pixray"
    count: int = Field(30, ge=1, le=4096, strict=True, description="Cutouts of each picture in each step.")
    zoom: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.6), description="Share of zoom cuts; all others are wide cuts."
    )
    smallest: float = Field(
        0.25,
        gt=0,
        le=1,
        description="Smallest area of a zoom cut, as a share of the largest square inside the picture.",
    )
    largest: float = Field(
        0.95, gt=0, le=1, description="Largest area of a zoom cut, as a share of the same square."
    )
    narrowest: float = Field(
        0.85, gt=0.1, le=1, description="Smallest ratio of a zoom cut's width to its height."
    )
    widest: float = Field(1.2, ge=1, le=10, description="Largest ratio of a zoom cut's width to its height.")
    zoom_perspective: Annotated[Schedule, Range(ge=0, le=0.9)] = Field(
        Schedule(0.4),
        description="How far each corner of a zoom cut moves inwards at most, as a share of half the side.",
    )
    wide_perspective: Annotated[Schedule, Range(ge=0, le=0.9)] = Field(
        Schedule(0.2),
        description="How far each corner of a wide cut moves inwards at most, as a share of half the side.",
    )
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.7), description="Share of cutouts with a perspective distortion."
    )
    margin: float = Field(
        0.05, ge=0, lt=0.9, description="Share of a wide cut's side that the picture leaves empty."
    )
    padding: Literal["alternate", "reflection", "border"] = Field(
        "alternate",
        description="What zoom cuts show outside the picture; alternate takes reflection and border in turn, step by "
        "step. Wide cuts always show a random gray there.",
    )


class Pixray(Placed[PixrayConfig]):
    """Zoom cuts (a perspective, then a random resized crop) and wide cuts of the whole picture, as in Pixray.

    Unlike Pixray, the picture is not shrunk to the perceptor's size first, so zoom cuts show detail. Pixray's color
    jitter and noise are the augmentations `{type: color, brightness: 0, contrast: 0, probability: 0.8, hue: 0.1}` and
    `noise`.
    """

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:  # noqa: ARG002
        """Place the zoom cuts first, then the wide cuts."""
        import torch

        zooms = round(self.context.value(self.config.zoom, step) * self.count)
        close = self._close(draws, zooms, size, step)
        boxes = torch.cat([close, self._wide(draws, self.count - zooms, size, step)], dim=1)
        alternate = ("reflection", "border")[step % 2]
        around = alternate if self.config.padding == "alternate" else self.config.padding
        modes = [around] * zooms + ["gray"] * (self.count - zooms)
        return Placement(boxes, modes, gray=draws.rand(self.count))

    def _close(self, draws: Stream, count: int, size: tuple[int, int], step: int) -> torch.Tensor:
        """Zoom cuts: take a square of the shorter side, distort its perspective, and crop it."""
        import torch

        from pixforge.builtin.cutouts.geometry import squares

        x, y = draws.rand(2, count).unbind(dim=1)
        side = torch.full_like(x, min(size))
        square = squares(x * (size[0] - side), y * (size[1] - side), side, size)
        distortion = self.context.value(self.config.zoom_perspective, step)
        return square @ self._tilted(draws, count, distortion, step) @ self._crop(draws, count)

    def _crop(self, draws: Stream, count: int) -> torch.Tensor:
        """Random crops of a square of side 1: uniform area, log-uniform ratio of the sides, uniform place."""
        import math

        from pixforge.builtin.cutouts.geometry import rectangles

        config = self.config
        area = draws.uniform(config.smallest, config.largest, TRIES, count)
        ratio = draws.uniform(math.log(config.narrowest), math.log(config.widest), TRIES, count).exp()
        widths, heights = (area * ratio).sqrt(), (area / ratio).sqrt()
        first = ((widths <= 1) & (heights <= 1)).float().argmax(dim=1, keepdim=True)  # the first that fits
        width, height = (each.gather(1, first).squeeze(1).clamp(max=1) for each in (widths, heights))
        x, y = draws.rand(2, count).unbind(dim=1)
        return rectangles(x * (1 - width), y * (1 - height), width, height, (1.0, 1.0))

    def _wide(self, draws: Stream, count: int, size: tuple[int, int], step: int) -> torch.Tensor:
        """Wide cuts: the whole picture at a random place inside the cutout, with a perspective distortion."""
        import torch

        from pixforge.builtin.cutouts.geometry import around_whole, squares

        x, y = draws.rand(2, count).unbind(dim=1)
        share = 1 - self.config.margin
        side = torch.full_like(x, 1 / share)
        inside = squares(-x * (side - 1), -y * (side - 1), side, (1.0, 1.0))
        distortion = self.context.value(self.config.wide_perspective, step)
        return around_whole(x, size) @ inside @ self._tilted(draws, count, distortion, step)

    def _tilted(self, draws: Stream, count: int, distortion: float, step: int) -> torch.Tensor:
        """Perspectives that shrink the square to a quadrilateral inside it; the surroundings appear around that."""
        from pixforge.builtin.augmentations.perspective import quad_to_square, random_quads

        probability = self.context.value(self.config.probability, step)
        return quad_to_square(random_quads(draws, count, distortion, probability))
