"""A painting of brush strokes, after CLIPDraw (Frans et al. 2021, arXiv 2106.14843)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Scene
from pixforge_strokes.curves import Curves, CurvesConfig

if TYPE_CHECKING:
    import torch


class StrokesConfig(CurvesConfig):
    """How many strokes, and how they start."""

    type: Literal["strokes"] = "strokes"
    count: int = Field(48, ge=1, le=1000, strict=True, description="Strokes; time and memory grow with them.")
    width: float = Field(0.06, gt=0, le=0.5, description="Of a stroke at the start.")
    opacity: float = Field(0.8, gt=0, le=1, description="Of a stroke at the start.")


class Strokes(Curves[StrokesConfig]):
    """Brush strokes of any color on paper of any color: each a chain of Bezier curves with a width and an opacity.

    The pixels are those that a renderer of SVG makes of the same curves, so that the exporter `svg` saves the picture.
    """

    learning_rate: ClassVar[float] = 0.008

    def __init__(self, config: StrokesConfig, scene: Scene) -> None:
        super().__init__(config, scene, config.count)
        stream = scene.draws.at("colors", device="cpu")
        colors = stream.uniform(0.3, 0.7, config.count, 4)  # muted, so that all of them can become anything
        colors[..., 3] = config.opacity
        self._colors = self._trained(colors)
        self._paper = self._trained(stream.uniform(0.9, 1.0, 3))

    def latents(self) -> dict[str, torch.Tensor]:
        """Beside the curves, `colors` `[B, S, 4]` (red, green, blue, opacity) and `paper` `[B, 3]`, in [0, 1]."""
        return {**super().latents(), "colors": self._colors, "paper": self._paper}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Colors move three times as far as points."""
        return [*super().parameter_groups(), {"params": [self._colors, self._paper], "scale": 3.0}]

    def colors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """As trained."""
        return self._colors, self._paper

    def constrain(self) -> None:
        """Colors stay in [0, 1], and no stroke vanishes: one that is transparent would have no gradient."""
        super().constrain()
        self._colors.clamp_(0, 1)
        self._colors[..., 3].clamp_(min=0.05)
        self._paper.clamp_(0, 1)
