"""Pixray's cutouts: many close ones, and some of the whole picture with a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.builtin.cutouts.placed import Placed
from pixforge.contracts import Config, Placement, Range, Schedule
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch

TRIES = 10
"""How often a crop is drawn anew when it would not fit, as torchvision and kornia do it."""


class PixrayConfig(Config):
    """Zoom cuts come from a crop that a perspective has tilted; wide cuts show the whole picture, tilted likewise."""

    type: Literal["pixray"] = "pixray"
    count: int = Field(30, ge=1, le=4096, strict=True, description="Cutouts of each picture in each step.")
    zoom: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.6), description="Share of zoom cuts; the others are wide."
    )
    smallest: float = Field(
        0.25,
        gt=0,
        le=1,
        description="Smallest zoom cut, as a share of the area of the largest square inside.",
    )
    largest: float = Field(0.95, gt=0, le=1, description="Largest zoom cut, likewise.")
    narrowest: float = Field(
        0.85, gt=0.1, le=1, description="Smallest ratio of a zoom cut's width to its height."
    )
    widest: float = Field(1.2, ge=1, le=10, description="Largest ratio, likewise.")
    zoom_perspective: Annotated[Schedule, Range(ge=0, le=0.9)] = Field(
        Schedule(0.4), description="How far each corner moves inwards at most, as a share of half the side."
    )
    wide_perspective: Annotated[Schedule, Range(ge=0, le=0.9)] = Field(
        Schedule(0.2), description="Likewise, of wide cuts."
    )
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.7), description="Share of the cutouts that are tilted."
    )
    margin: float = Field(
        0.05, ge=0, lt=0.9, description="Share of a wide cut's side that is left free around the picture."
    )
    padding: Literal["alternate", "reflection", "border"] = Field(
        "alternate",
        description="What zoom cuts show beyond the picture; alternate: reflection and border, step by step. "
        "Wide cuts show a random gray.",
    )


class Pixray(Placed[PixrayConfig]):
    """60% zoom cuts (perspective, then a random resized crop) and 40% wide cuts of the whole picture, as Pixray draws them.

    Unlike there, the picture is not shrunk to the perceptor's size before it is cut, so that zoom cuts show detail. Its
    color jitter and noise are the augmentations `{type: color, brightness: 0, contrast: 0, probability: 0.8, hue: 0.1}`
    and `noise`.
    """

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:  # noqa: ARG002
        """Zoom cuts first."""
        import torch

        zooms = round(self.config.zoom.at(step, self.scene.steps) * self.count)
        close = self._close(draws, zooms, size, step)
        boxes = torch.cat([close, self._wide(draws, self.count - zooms, size, step)], dim=1)
        alternate = ("reflection", "border")[step % 2]
        around = alternate if self.config.padding == "alternate" else self.config.padding
        modes = [around] * zooms + ["gray"] * (self.count - zooms)
        return Placement(boxes, modes, gray=draws.rand(self.count))

    def _close(self, draws: Stream, count: int, size: tuple[int, int], step: int) -> torch.Tensor:
        """A square of the shorter side, tilted, and a crop of that."""
        import torch

        from pixforge.builtin.cutouts.geometry import squares

        x, y = draws.rand(2, count).unbind(dim=1)
        side = torch.full_like(x, min(size))
        square = squares(x * (size[0] - side), y * (size[1] - side), side, size)
        distortion = self.config.zoom_perspective.at(step, self.scene.steps)
        return square @ self._tilted(draws, count, distortion, step) @ self._crop(draws, count)

    def _crop(self, draws: Stream, count: int) -> torch.Tensor:
        """Area uniform, ratio of the sides uniform in its logarithm, place uniform; of a square of side 1."""
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
        """All of the picture somewhere inside the cutout, tilted."""
        import torch

        from pixforge.builtin.cutouts.geometry import around_whole, squares

        x, y = draws.rand(2, count).unbind(dim=1)
        share = 1 - self.config.margin
        side = torch.full_like(x, 1 / share)
        inside = squares(-x * (side - 1), -y * (side - 1), side, (1.0, 1.0))
        distortion = self.config.wide_perspective.at(step, self.scene.steps)
        return around_whole(x, size) @ inside @ self._tilted(draws, count, distortion, step)

    def _tilted(self, draws: Stream, count: int, distortion: float, step: int) -> torch.Tensor:
        """The square shrinks to a quadrilateral inside itself, with what lies outside shown around it."""
        import torch

        from pixforge.builtin.augmentations.perspective import random_quads, square_to_quad

        probability = self.config.probability.at(step, self.scene.steps)
        inverse: torch.Tensor = torch.linalg.inv_ex(
            square_to_quad(random_quads(draws, count, distortion, probability))
        )[0]
        return inverse / inverse[..., 2:, 2:]
