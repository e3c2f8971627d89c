"""The common base of strokes and sketches: curves with widths, drawn as pixels and as SVG."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import Field

from pixforge.contracts import Config, Generator, RunContext

if TYPE_CHECKING:
    import torch

    from pixforge_strokes.raster import Search

SAMPLES = 16
"""Number of line segments for each curve in the search for its nearest point.

With 16, the distance is off by at most 0.2 pixels, and by more than 0.05 for about one pixel in a thousand.
"""


class CurvesConfig(Config):
    """Fields of all generators that draw curves. Lengths are shares of the picture's shorter side."""

    curves: int = Field(
        1, ge=1, le=8, strict=True, description="Number of connected cubic Bezier curves in each stroke."
    )
    length: float = Field(0.3, gt=0, le=2, description="Length of a stroke at the start.")
    width: float = Field(0.03, gt=0, le=0.5, description="Width of a stroke at the start.")
    softness: float = Field(
        0.012, gt=0, le=0.2, description="Distance from its edge within which pixels influence a stroke."
    )
    fit: int = Field(
        100,
        ge=0,
        le=10_000,
        strict=True,
        description="Steps that bring the strokes to a picture that the run starts from.",
    )


C = TypeVar("C", bound=CurvesConfig)


class Curves(Generator[C]):
    """Base of generators whose latent is a set of curves; a subclass defines their colors."""

    approximates = True
    evenly: ClassVar[float] = 0.0
    """How likely a stroke of a start picture is where that has no edge, against 1 on its strongest edge."""

    def __init__(self, config: C, context: RunContext, count: int) -> None:
        super().__init__(config, context)
        from pixforge_strokes.raster import nearest_places

        self._side = min(context.size)
        stream = context.draws.at("latent", device="cpu")
        self._points = self._trained(
            _random_walks(stream.rand(count, 2), stream.randn(count, 2), config, context)
        )
        self._widths = self._trained(stream.uniform(0.7, 1.3, count) * config.width)
        self._search = context.compiled(nearest_places)

    def _trained(self, start: torch.Tensor) -> torch.Tensor:
        return start.to(self.context.device).requires_grad_()

    def latents(self) -> dict[str, torch.Tensor]:
        """`points` `[B, S, 3 P + 1, 2]` (x, y) and `widths` `[B, S]`, as shares of the shorter side."""
        return {"points": self._points, "widths": self._widths}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Widths have a much lower learning rate than points; otherwise a few strokes would cover everything."""
        return [{"params": [self._points], "scale": 1.0}, {"params": [self._widths], "scale": 0.03}]

    @abstractmethod
    def colors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The colors of the strokes with opacity, `[B, S, 4]`, and of the paper, `[B, 3]`, in [0, 1]."""

    def forward(self, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """Draw the strokes on the paper, antialiased."""
        return self.drawn(*self.context.size, search=self._search)

    def drawn(self, width: int, height: int, search: Search | None = None) -> torch.Tensor:
        """The picture in any size of about its proportions."""
        from pixforge_strokes.raster import coverage, curve_distance, nearest_places, paint

        side = min(width, height)
        distance = curve_distance(self._points * side, height, width, SAMPLES, search or nearest_places)
        cover = coverage(distance, self._widths * side, self.config.softness * side)
        return paint(cover, *self.colors()).clamp(0, 1)

    def encode(self, image: torch.Tensor) -> None:
        """Bring the strokes to a picture, as near as they can come.

        They begin on its edges, or where they are if that is nearer: so is a picture that an edit has changed a little.
        """
        import torch

        from pixforge_strokes.fitting import distance, fit, small

        wanted = self.wanted(small(image[:, :3].expand(self.context.batch, -1, -1, -1)))
        before = {name: each.detach().clone() for name, each in self.latents().items()}
        was = distance(self, wanted)
        self.place(wanted, small(image[:, :3]))
        nearer = was < distance(self, wanted)
        for name, each in self.latents().items():
            stay = nearer.view(-1, *[1] * (each.dim() - 1))
            each.copy_(torch.where(stay, before[name], each))
        fit(self, wanted, self.config.fit)

    def wanted(self, image: torch.Tensor) -> torch.Tensor:
        """What to draw of a picture `[B, 3, h, w]`."""
        return image

    def place(self, wanted: torch.Tensor, image: torch.Tensor) -> None:  # noqa: ARG002 - colors are of `wanted`
        """Begin on the edges of a picture `[1 or B, 3, h, w]`, as wide as the recipe says."""
        import torch

        from pixforge_strokes.fitting import placed

        count, corners = self._points.shape[1:3]
        ways = torch.linspace(-0.5, 0.5, corners, device=self._points.device) * self.config.length
        stream = self.context.draws.at("placed", device="cpu")
        every = image.expand(self.context.batch, -1, -1, -1)
        self._points.copy_(placed(every, self.evenly, count, ways, stream))
        self._widths.fill_(self.config.width)
        self.constrain()

    def constrain(self) -> None:
        """Keep strokes near the picture, and at least a third of a pixel wide."""
        limits = self._points.new_tensor(self.context.size) / self._side
        self._points.clamp_(limits * -0.1, limits * 1.1)
        self._widths.clamp_(1 / 3 / self._side, 0.5)

    def svg(self, canvas: int) -> str:
        """The picture of one canvas as an SVG document of the same size."""
        from pixforge_strokes.svg import document

        colors, paper = self.colors()
        return document(
            self.context.size,
            (self._points[canvas].detach() * self._side).tolist(),
            (self._widths[canvas].detach() * self._side).tolist(),
            colors[canvas].detach().tolist(),
            paper[canvas].detach().tolist(),
        )


def _random_walks(
    start: torch.Tensor, way: torch.Tensor, config: CurvesConfig, context: RunContext
) -> torch.Tensor:
    """Control points `[B, S, 3 P + 1, 2]` of nearly straight strokes at random places, in random directions."""
    import torch

    count = 3 * config.curves + 1
    extent = torch.tensor(context.size) / min(context.size)
    middle = (0.1 + 0.8 * start) * extent
    direction = torch.nn.functional.normalize(way, dim=-1) * config.length
    share = torch.linspace(-0.5, 0.5, count)[:, None]
    across = torch.stack([-direction[..., 1], direction[..., 0]], dim=-1)
    bend = (share.square() - 1 / 8) * way[..., :1, None]
    return middle[..., None, :] + share * direction[..., None, :] + bend * across[..., None, :]
