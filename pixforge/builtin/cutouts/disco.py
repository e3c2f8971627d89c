"""Disco Diffusion's cutouts: mostly overviews early in the run, mostly inner cuts later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.builtin.cutouts.placed import Placed
from pixforge.builtin.luma import LUMA
from pixforge.contracts import Config, Placement, Range, Schedule
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch

FEW = 4
"""Up to so many overviews are all different: as it is, gray, mirrored, mirrored and gray."""


class DiscoConfig(Config):
    """Options; the default schedules are Disco's, which change after 400 of 1000 steps."""

    type: Literal["disco"] = "disco"
    count: int = Field(16, ge=1, le=4096, strict=True, description="Cutouts of each picture in each step.")
    overview: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule({"0%": 0.75, "40%": 0.25, "ease": "step"}),
        description="Share of cutouts that show the whole picture. By default 12 of 16, later 4.",
    )
    power: Annotated[Schedule, Range(gt=0, le=100)] = Field(
        Schedule(1.0),
        description="Sides of inner cuts are smallest + random^power * (shorter side - smallest).",
    )
    smallest: float | None = Field(
        None, gt=0, le=1,
        description="Smallest side of inner cuts, as a share of the shorter side; by default the perceptor's input "
        "size.",
    )  # fmt: skip
    gray: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule({"0%": 0.2, "40%": 0.0, "ease": "step"}),
        description="Share of inner cuts that are turned gray.",
    )
    margin: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Width of a gray border around an overview, as a share of the picture's shorter side; Disco has none.",
    )


class Disco(Placed[DiscoConfig]):
    """Overviews (the whole picture on a gray square) and inner cuts of random size and place, as in Disco Diffusion.

    Up to four overviews differ: the second and the fourth are gray, the third and the fourth mirrored.
    """

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:
        """Place the overviews first, then the gray inner cuts, then the others."""
        import torch

        from pixforge.builtin.cutouts.geometry import around_whole, smallest_side, squares

        config, value = self.config, self.context.value
        overviews = round(value(config.overview, step) * self.count)
        grown, x, y = draws.rand(3, self.count - overviews).unbind(dim=1)
        smallest = smallest_side(config.smallest, size, input_size)
        side = grown ** value(config.power, step) * (min(size) - smallest) + smallest
        inner = squares(x * (size[0] - side), y * (size[1] - side), side, size)
        whole = around_whole(draws.rand(overviews), size, config.margin * min(size))
        modes = ["gray"] * overviews + ["reflection"] * (self.count - overviews)
        few = overviews <= FEW
        if few:
            whole[:, 2:, :, 0] *= -1
        last = overviews + round(value(config.gray, step) * (self.count - overviews))
        pale = [*(range(1, overviews, 2) if few else ()), *range(overviews, last)]
        boxes = torch.cat([whole, inner], dim=1)
        return Placement(boxes, modes, colors=_colorless(boxes, pale) if pale else None)


def _colorless(boxes: torch.Tensor, pale: list[int]) -> torch.Tensor:
    """Color matrices `[B, K, 3, 4]` for boxes `[B, K, 3, 3]`: luma for the cutouts `pale`, the identity for all others."""
    import torch

    from pixforge.contracts.constants import constant

    gray, plain = constant(LUMA, boxes.device).expand(3, 3), torch.eye(3, device=boxes.device)
    matrices = torch.stack([gray if index in pale else plain for index in range(boxes.shape[1])])
    return torch.nn.functional.pad(matrices, (0, 1)).expand(boxes.shape[0], -1, -1, -1)
