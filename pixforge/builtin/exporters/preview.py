"""One picture that is renewed while the run goes on."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import Field

from pixforge.contracts import Config, Exporter, Output, StepReport
from pixforge.contracts.paths import FileName


class PreviewConfig(Config):
    """How often."""

    type: Literal["preview"] = "preview"
    seconds: Annotated[float, Field(ge=0, le=86400)] = Field(
        1.0, description="At least this much time between two; 0: after every step."
    )
    name: FileName = Field("preview", description="Of the file, without its extension .png.")


class Preview(Exporter[PreviewConfig]):
    """Renews `preview.png` while the run goes on, for a viewer that reloads it; several canvases stand side by side.

    The file is replaced in one go, so that whoever reads it sees a whole picture. It ends as the last one.
    """

    def __init__(self, config: PreviewConfig, output: Output) -> None:
        super().__init__(config, output)
        self._last: StepReport | None = None
        self._next = 0.0

    @classmethod
    def claims(cls, config: PreviewConfig, canvases: int) -> list[str]:  # noqa: ARG003 - one for all
        """The one picture."""
        return [f"{config.name}.png"]

    def write(self, report: StepReport) -> None:
        """Replace the file when it is time."""
        self._last = report
        if time.monotonic() >= self._next:
            self._save(report)
            self._next = time.monotonic() + self.config.seconds

    def close(self) -> None:
        """Leave the last picture."""
        if self._last is not None:
            self._save(self._last)

    def files(self) -> list[str]:
        """The one picture."""
        return [f"{self.config.name}.png"] if self._last is not None else []

    def _save(self, report: StepReport) -> None:
        import numpy as np

        from pixforge.media.images import to_pil

        with self.output.whole(f"{self.config.name}.png") as file:
            to_pil(np.concatenate(list(report.layers), axis=1)).save(file, "png", compress_level=1)
