"""An exporter for pixforge: a table of how colors changed."""

from __future__ import annotations

from typing import Any, Literal, TextIO

from pydantic import Field

import pixforge
from pixforge.contracts import Output


class PlaceholderConfig(pixforge.Config):
    """What a recipe may say: `{type: placeholder, every: 5}`."""

    type: Literal["placeholder"] = "placeholder"
    every: int = Field(1, ge=1, strict=True, description="Steps between two lines.")


class Placeholder(pixforge.Exporter[PlaceholderConfig]):
    """Writes the mean red, green and blue of every canvas at every step into `placeholder.csv`."""

    def __init__(self, config: PlaceholderConfig, output: Output) -> None:
        super().__init__(config, output)
        self._file: TextIO | None = None

    def write(self, report: pixforge.StepReport) -> None:
        """Append lines; flushed, so that the file is whole whenever the run ends."""
        if self._file is None:
            self._file = self.output.path(self.files()[0]).open("w", encoding="utf-8")
            self._file.write("step,canvas,red,green,blue\n")
        if report.step % self.config.every == 0:
            for canvas, pixels in enumerate(report.pixels):  # waits for a GPU; on the CPU it costs nothing
                red, green, blue = pixels.mean(axis=(0, 1)) / 255
                self._file.write(f"{report.step},{canvas},{red:.4f},{green:.4f},{blue:.4f}\n")
            self._file.flush()

    def close(self) -> None:
        """Called once, also after an interruption."""
        if self._file is not None:
            self._file.close()

    def files(self) -> list[str]:
        """What it wrote, for `run.json`."""
        return ["placeholder.csv"]


@pixforge.hookimpl
def pixforge_exporters() -> list[type[pixforge.Exporter[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
