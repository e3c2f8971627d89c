"""An example of a plugin in one file: an exporter that draws how the colors came about, a row for each step."""

from __future__ import annotations

from collections.abc import Mapping
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

    @classmethod
    def claims(cls, config: PaletteLogConfig, canvases: int) -> list[str]:  # noqa: ARG003 - always the same
        """The one picture."""
        return ["palette.png"]

    def write(self, report: pixforge.StepReport) -> None:
        """Keep a row, on the host; the first canvas stands for all."""
        import numpy as np

        columns = np.array_split(report.pixels[0], min(self.config.colors, report.pixels.shape[2]), axis=1)
        self._rows.append([column.mean(axis=(0, 1)) for column in columns])

    def state(self) -> dict[str, Any]:
        """The rows until now."""
        import numpy as np
        import torch

        return {"rows": torch.from_numpy(np.array(self._rows))}

    def resume(self, state: Mapping[str, Any], report: pixforge.StepReport) -> None:
        """Put them back; without a state it begins here."""
        if "rows" in state:
            self._rows = list(state["rows"].numpy())
        else:
            self.write(report)

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
