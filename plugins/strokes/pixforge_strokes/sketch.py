"""A drawing of a few lines, after CLIPasso (Vinker et al. 2022, arXiv 2202.05822)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import RunContext
from pixforge_strokes.curves import Curves, CurvesConfig

if TYPE_CHECKING:
    import torch

Level = Annotated[float, Field(ge=0, le=1)]


class SketchConfig(CurvesConfig):
    """The number of lines and the two colors."""

    type: Literal["sketch"] = "sketch"
    count: int = Field(
        24, ge=1, le=1000, strict=True, description="Number of lines; time and memory grow with it."
    )
    curves: int = Field(
        2, ge=1, le=8, strict=True, description="Number of connected cubic Bezier curves in each line."
    )
    width: float = Field(0.015, gt=0, le=0.5, description="Width of a line at the start.")
    ink: tuple[Level, Level, Level] = Field(
        (0.05, 0.05, 0.08), description="Red, green and blue of all lines."
    )
    paper: tuple[Level, Level, Level] = Field(
        (1.0, 1.0, 1.0), description="Red, green and blue of the background."
    )


class Sketch(Curves[SketchConfig]):
    """Lines in one color on plain paper; only their shapes and widths are trained."""

    learning_rate: ClassVar[float] = 0.006

    def __init__(self, config: SketchConfig, context: RunContext) -> None:
        super().__init__(config, context, config.count)
        self._ink = self._points.new_tensor([*config.ink, 1.0]).expand(context.batch, config.count, -1)
        self._paper = self._points.new_tensor(config.paper).expand(context.batch, -1)

    def wanted(self, image: torch.Tensor) -> torch.Tensor:
        """A drawing in its own two colors is drawn again; of any other picture, the edges are."""
        from pixforge_strokes.fitting import edges, two_colors

        ink, paper = self._ink[0, 0, :3], self._paper[0]
        lines = paper[:, None, None] + (ink - paper)[:, None, None] * edges(image)
        return image.where(two_colors(image, ink, paper)[:, None, None, None], lines)

    def colors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The colors of the recipe."""
        return self._ink, self._paper
