"""Disco Diffusion's cutouts: overviews early, inner cuts late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.builtin.cutouts.placed import Placed
from pixforge.contracts import Config, Placement, Range, Schedule
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch

LUMA = (0.299, 0.587, 0.114)


class DiscoConfig(Config):
    """The schedules are Disco's of 1000 steps: what changes, changes after the first 400 of them."""

    type: Literal["disco"] = "disco"
    count: int = Field(16, ge=1, le=4096, strict=True, description="Cutouts of each picture in each step.")
    overview: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule({"0%": 0.75, "40%": 0.25, "ease": "step"}),
        description="Share of the cutouts that show the whole picture: 12 of 16, later 4.",
    )
    power: Annotated[Schedule, Range(gt=0, le=100)] = Field(
        Schedule(1.0),
        description="Inner sides are random^power between smallest and the picture's shorter side.",
    )
    smallest: float | None = Field(
        None, gt=0, le=1,
        description="Smallest inner side, as a share of the shorter side; by default the perceptor's input size.",
    )  # fmt: skip
    gray: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule({"0%": 0.2, "40%": 0.0, "ease": "step"}),
        description="Share of the inner cuts that are seen without color.",
    )
    margin: float = Field(
        0.055, ge=0, le=1, description="Gray around an overview, as a share of the picture's shorter side."
    )


class Disco(Placed[DiscoConfig]):
    """Overviews (the whole picture on a gray square) and inner cuts (side random^power, place uniform), by schedule."""

    def place(self, draws: Stream, size: tuple[int, int], step: int, input_size: int) -> Placement:
        """Overviews first, then inner cuts, the gray ones first."""
        import torch

        from pixforge.builtin.cutouts.geometry import around_whole, smallest_side, squares

        config, steps = self.config, self.scene.steps
        overviews = round(config.overview.at(step, steps) * self.count)
        grown, x, y = draws.rand(3, self.count - overviews).unbind(dim=1)
        smallest = smallest_side(config.smallest, size, input_size)
        side = grown ** config.power.at(step, steps) * (min(size) - smallest) + smallest
        inner = squares(x * (size[0] - side), y * (size[1] - side), side, size)
        whole = around_whole(draws.rand(overviews), size, config.margin * min(size))
        modes = ["gray"] * overviews + ["reflection"] * (self.count - overviews)
        pale = round(config.gray.at(step, steps) * (self.count - overviews))
        colors = _colorless(inner, overviews, pale) if pale else None
        return Placement(torch.cat([whole, inner], dim=1), modes, colors=colors)


def _colorless(inner: torch.Tensor, before: int, count: int) -> torch.Tensor:
    """`[B, K, 3, 4]`: the luma for `count` inner cuts after the overviews, and the colors as they are for all others."""
    import torch

    from pixforge.contracts.constants import constant

    batch, total = inner.shape[0], before + inner.shape[1]
    gray, plain = constant(LUMA, inner.device).expand(3, 3), torch.eye(3, device=inner.device)
    parts = [plain.expand(before, 3, 3), gray.expand(count, 3, 3), plain.expand(total - before - count, 3, 3)]
    return torch.nn.functional.pad(torch.cat(parts), (0, 1)).expand(batch, -1, -1, -1)
