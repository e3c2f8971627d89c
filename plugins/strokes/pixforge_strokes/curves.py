"""What strokes and sketches share: the curves, their widths, and the way to pixels and to SVG."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field

from pixforge.contracts import Config, Generator, Scene

if TYPE_CHECKING:
    import torch

SAMPLES = 16
"""Line pieces of each curve in the search for its nearest place; the distance is off by 0.2 pixels at worst, and by 0.05 in one of a thousand."""


class CurvesConfig(Config):
    """Fields of every generator that draws curves. Lengths are shares of the shorter side of the picture."""

    curves: int = Field(
        1, ge=1, le=8, strict=True, description="Cubic Bezier curves in a row in each stroke."
    )
    length: float = Field(0.3, gt=0, le=2, description="Of a stroke at the start.")
    width: float = Field(0.03, gt=0, le=0.5, description="Of a stroke at the start.")
    softness: float = Field(
        0.012, gt=0, le=0.2, description="How far from its edge a stroke still feels what the picture wants."
    )


C = TypeVar("C", bound=CurvesConfig)


class Curves(Generator[C]):
    """Base of generators whose latent is curves; a subclass gives them colors."""

    def __init__(self, config: C, scene: Scene, count: int) -> None:
        super().__init__(config, scene)
        from pixforge_strokes.raster import nearest_places

        self._side = min(scene.size)
        stream = scene.draws.at("latent", device="cpu")
        self._points = self._trained(
            _random_walks(stream.rand(count, 2), stream.randn(count, 2), config, scene)
        )
        self._widths = self._trained(stream.uniform(0.7, 1.3, count) * config.width)
        self._search = scene.compiled(nearest_places)

    def _trained(self, start: torch.Tensor) -> torch.Tensor:
        return start.to(self.scene.device).requires_grad_()

    def latents(self) -> dict[str, torch.Tensor]:
        """`points` `[B, S, 3 P + 1, 2]` (x, y) and `widths` `[B, S]`, as shares of the shorter side."""
        return {"points": self._points, "widths": self._widths}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Widths move far less than points, or a few strokes would cover everything."""
        return [{"params": [self._points], "scale": 1.0}, {"params": [self._widths], "scale": 0.03}]

    @abstractmethod
    def colors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Of the strokes, `[B, S, 4]` with opacity, and of the paper, `[B, 3]`; all in [0, 1]."""

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """The strokes on the paper, antialiased."""
        from pixforge_strokes.raster import coverage, curve_distance, paint

        width, height = self.scene.size
        distance = curve_distance(self._points * self._side, height, width, SAMPLES, self._search)
        cover = coverage(distance, self._widths * self._side, self.config.softness * self._side)
        return paint(cover, *self.colors()).clamp(0, 1)

    def constrain(self) -> None:
        """Strokes stay within reach of the picture, and at least a third of a pixel wide."""
        limits = self._points.new_tensor(self.scene.size) / self._side
        self._points.clamp_(limits * -0.1, limits * 1.1)
        self._widths.clamp_(1 / 3 / self._side, 0.5)

    def svg(self, canvas: int) -> str:
        """The picture of one canvas as an SVG document of the same size."""
        from pixforge_strokes.svg import document

        colors, paper = self.colors()
        return document(
            self.scene.size,
            (self._points[canvas].detach() * self._side).tolist(),
            (self._widths[canvas].detach() * self._side).tolist(),
            colors[canvas].detach().tolist(),
            paper[canvas].detach().tolist(),
        )


def _random_walks(start: torch.Tensor, way: torch.Tensor, config: CurvesConfig, scene: Scene) -> torch.Tensor:
    """`[B, S, 3 P + 1, 2]`: nearly straight strokes around random places, in random directions."""
    import torch

    count = 3 * config.curves + 1
    extent = torch.tensor(scene.size) / min(scene.size)
    middle = (0.1 + 0.8 * start) * extent
    direction = torch.nn.functional.normalize(way, dim=-1) * config.length
    share = torch.linspace(-0.5, 0.5, count)[:, None]
    across = torch.stack([-direction[..., 1], direction[..., 0]], dim=-1)
    bend = (share.square() - 1 / 8) * way[..., :1, None]
    return middle[..., None, :] + share * direction[..., None, :] + bend * across[..., None, :]
