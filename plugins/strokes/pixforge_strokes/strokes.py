"""A painting of brush strokes, after CLIPDraw (Frans et al. 2021, arXiv 2106.14843)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import RunContext
from pixforge_strokes.curves import Curves, CurvesConfig

if TYPE_CHECKING:
    import torch


class StrokesConfig(CurvesConfig):
    """The number of strokes, and how they start."""

    type: Literal["strokes"] = "strokes"
    count: int = Field(
        48, ge=1, le=1000, strict=True, description="Number of strokes; time and memory grow with it."
    )
    width: float = Field(0.06, gt=0, le=0.5, description="Width of a stroke at the start.")
    opacity: float = Field(0.8, gt=0, le=1, description="Opacity of a stroke at the start.")


class Strokes(Curves[StrokesConfig]):
    """Brush strokes on paper, all of any color. Each stroke is a chain of Bezier curves with a width and an opacity.

    An SVG renderer makes the same pixels from the same curves, so the exporter `svg` saves the same picture.
    """

    learning_rate: ClassVar[float] = 0.008
    evenly: ClassVar[float] = 0.3

    def __init__(self, config: StrokesConfig, context: RunContext) -> None:
        super().__init__(config, context, config.count)
        stream = context.draws.at("colors", device="cpu")
        colors = stream.uniform(0.3, 0.7, config.count, 4)  # muted, so that no color is far from any stroke
        colors[..., 3] = config.opacity
        self._colors = self._trained(colors)
        self._paper = self._trained(stream.uniform(0.9, 1.0, 3))

    def latents(self) -> dict[str, torch.Tensor]:
        """The curves, `colors` `[B, S, 4]` (red, green, blue, opacity) and `paper` `[B, 3]`, both in [0, 1]."""
        return {**super().latents(), "colors": self._colors, "paper": self._paper}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Colors have three times the learning rate of points."""
        return [*super().parameter_groups(), {"params": [self._colors, self._paper], "scale": 3.0}]

    def place(self, wanted: torch.Tensor, image: torch.Tensor) -> None:
        """Each stroke gets the color of its middle, and the paper that of the whole."""
        import torch.nn.functional as F  # noqa: N812

        super().place(wanted, image)
        height, width = wanted.shape[-2:]
        middles = self._points.mean(dim=2, keepdim=True) * min(width, height)
        grid = middles / middles.new_tensor([width, height]) * 2 - 1
        found = F.grid_sample(wanted, grid, padding_mode="border", align_corners=False)
        self._colors[..., :3] = found[..., 0].transpose(1, 2)
        self._colors[..., 3] = self.config.opacity
        self._paper.copy_(wanted.mean(dim=(2, 3)))

    def colors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The trained colors."""
        return self._colors, self._paper

    def constrain(self) -> None:
        """Keep colors in [0, 1], and opacity above .05, because a transparent stroke would have no gradient."""
        super().constrain()
        self._colors.clamp_(0, 1)
        self._colors[..., 3].clamp_(min=0.05)
        self._paper.clamp_(0, 1)
