"""An exporter for pixforge: a table of how colors changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge
from pixforge.contracts import Output

if TYPE_CHECKING:
    import torch

NAME = "placeholder.csv"


class PlaceholderConfig(pixforge.Config):
    """What a recipe may say: `{type: placeholder, every: 5}`."""

    type: Literal["placeholder"] = "placeholder"
    every: int = Field(1, ge=1, strict=True, description="Steps between two lines.")


class Placeholder(pixforge.Exporter[PlaceholderConfig]):
    """Writes the mean red, green and blue of every canvas at every step into `placeholder.csv`."""

    def __init__(self, config: PlaceholderConfig, output: Output) -> None:
        super().__init__(config, output)
        self._file: IO[bytes] | None = None

    @classmethod
    def claims(cls, config: PlaceholderConfig, canvases: int) -> list[str]:  # noqa: ARG003 - always the same
        """What it may write: a recipe in which another exporter writes it too is refused."""
        return [NAME]

    def write(self, report: pixforge.StepReport) -> None:
        """Append lines; flushed, so that the file is whole whenever the run ends."""
        if self._file is None:
            self._file = self.output.path(NAME).open("wb")
            self._file.write(b"step,canvas,red,green,blue\n")
        if report.step % self.config.every == 0:
            for canvas, pixels in enumerate(report.pixels):  # waits for a GPU; on the CPU it costs nothing
                red, green, blue = pixels.mean(axis=(0, 1)) / 255
                line = f"{report.step},{canvas},{red:.4f},{green:.4f},{blue:.4f}\n"
                self._file.write(line.encode())
            self._file.flush()

    def state(self) -> dict[str, torch.Tensor]:
        """How long the file is, once it is on the disk: what a resumed run goes on from."""
        import torch

        if self._file is None:
            return {}
        self._file.flush()
        os.fsync(self._file.fileno())
        return {"size": torch.tensor(self._file.tell())}

    def resume(self, state: Mapping[str, torch.Tensor], report: pixforge.StepReport) -> None:
        """Cut off what came after the checkpoint and go on; without a state or a file it begins here."""
        path = self.output.path(NAME)
        if "size" not in state or not path.exists():
            self.write(report)
            return
        self._file = path.open("r+b")
        self._file.truncate(int(state["size"]))
        self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Called once, also after an interruption."""
        if self._file is not None:
            self._file.close()

    def files(self) -> list[str]:
        """What it wrote, for `run.json`."""
        return [NAME]


@pixforge.hookimpl
def pixforge_exporters() -> list[type[pixforge.Exporter[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
