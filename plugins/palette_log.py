"""An example of a plugin in one file: an exporter that draws how the colors came about, a row for each step."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

import pixforge
from pixforge.contracts import Output


class PaletteLogConfig(pixforge.Config):
    """How much of it."""

    type: Literal["palette_log"] = "palette_log"
    colors: int = Field(
        16, ge=2, le=64, strict=True, description="Pieces of a row, each a mean over a column."
    )


class PaletteLog(pixforge.Exporter[PaletteLogConfig]):
    """`palette.png`: time goes down, and each row has the mean colors of the picture's columns at that step."""

    def __init__(self, config: PaletteLogConfig, output: Output) -> None:
        super().__init__(config, output)
        self._rows: list[Any] = []

    def write(self, report: pixforge.StepReport) -> None:
        """Keep a row, on the host; the first canvas stands for all."""
        import numpy as np

        columns = np.array_split(report.pixels[0], min(self.config.colors, report.pixels.shape[2]), axis=1)
        self._rows.append([column.mean(axis=(0, 1)) for column in columns])

    def close(self) -> None:
        """Write them, however many there are."""
        import numpy as np
        from PIL import Image

        if self._rows:
            pixels = np.round(self._rows).astype(np.uint8)
            Image.fromarray(pixels.repeat(16, axis=1)).save(self.output.path(self.files()[0]))

    def files(self) -> list[str]:
        """The one picture."""
        return ["palette.png"]


@pixforge.hookimpl
def pixforge_exporters() -> list[type[pixforge.Exporter[Any]]]:
    """The list that makes it known."""
    return [PaletteLog]
