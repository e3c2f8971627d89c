"""Write curves as an SVG document, and the exporter that saves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable
from xml.sax.saxutils import escape

from pydantic import Field

from pixforge.contracts import Config, Exporter, FileName, Output, StepReport
from pixforge.errors import UnsupportedError
from pixforge.tools import LastLatents

Numbers = Sequence[float]


@runtime_checkable
class Drawing(Protocol):
    """A generator whose picture can be saved as SVG."""

    def svg(self, canvas: int) -> str:
        """The picture of one canvas as an SVG document."""


class SvgConfig(Config):
    """The name of the file, and whether it holds the recipe."""

    type: Literal["svg"] = "svg"
    name: FileName = Field("drawing", description="Name of the file, without .svg.")
    metadata: bool = Field(default=True, description="Put the resolved recipe into the file.")


class Svg(Exporter[SvgConfig]):
    """Saves strokes and sketches as SVG, which looks the same in a browser and can be scaled to any size.

    Filters change only pixels, so the SVG is without them.
    """

    def __init__(self, config: SvgConfig, output: Output) -> None:
        super().__init__(config, output)
        if not isinstance(output.generator, Drawing):
            raise UnsupportedError(
                "exporter 'svg' draws curves, and this generator has none; use generator strokes or sketch"
            )
        self._drawing = output.generator
        self._last = LastLatents(output.generator)
        self._started = False

    @classmethod
    def claims(cls, config: SvgConfig, canvases: int) -> list[str]:
        """One file for each canvas."""
        return [f"{config.name}{f'-{index:02d}' if canvases > 1 else ''}.svg" for index in range(canvases)]

    def write(self, report: StepReport) -> None:  # noqa: ARG002 - the curves are in the generator
        """Remember the state: only the last one is saved, when the exporter is closed."""
        self._last.keep()
        self._started = True

    def close(self) -> None:
        """Write each canvas to a temporary file and rename it, so that the named file is never incomplete."""
        if not self._started:
            return
        self._last.put_back()
        for canvas, name in enumerate(self.files()):
            text = self._drawing.svg(canvas)
            if self.config.metadata:
                text = text.replace("\n", f"\n<metadata>{escape(self.output.recipe)}</metadata>\n", 1)
            part = self.output.path(f".{name}.part")
            part.write_text(text, encoding="utf-8")
            part.replace(self.output.path(name))

    def files(self) -> list[str]:
        """One file name for each canvas."""
        return self.claims(self.config, self.output.canvases)


def document(
    size: tuple[int, int],
    strokes: Sequence[Sequence[Numbers]],
    widths: Numbers,
    colors: Sequence[Numbers],
    paper: Numbers,
) -> str:
    """An SVG document of a drawing.

    Args:
        size: (width, height) of the picture in pixels.
        strokes: for each stroke its 3 P + 1 control points (x, y) in pixels.
        widths: of the strokes, in pixels.
        colors: sRGB and opacity of each stroke, in [0, 1].
        paper: sRGB of the background, in [0, 1].
    """
    width, height = size
    paths = [
        f'<path d="{_path(points)}" stroke="{_color(color)}" stroke-opacity="{color[3]:.4f}" stroke-width="{wide:.3f}"/>'
        for points, wide, color in zip(strokes, widths, colors, strict=True)
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    sheet = f'<rect width="{width}" height="{height}" fill="{_color(paper)}"/>'
    group = '<g fill="none" stroke-linecap="round" stroke-linejoin="round">'
    return "\n".join([head, sheet, group, *paths, "</g>", "</svg>", ""])


def _path(points: Sequence[Numbers]) -> str:
    first, *rest = (f"{x:.2f} {y:.2f}" for x, y in points)
    return f"M{first}C{' '.join(rest)}"


def _color(color: Numbers) -> str:
    red, green, blue = (round(255 * value) for value in color[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
