"""A run on one page."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.builtin.exporters.sheet import sheet
from pixforge.contracts import Config, Exporter, Output, StepReport
from pixforge.contracts.paths import FileName

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

_QUALITY = 90


class ContactSheetConfig(Config):
    """How many pictures, and how large."""

    type: Literal["contact_sheet"] = "contact_sheet"
    count: Annotated[int, Field(ge=2, le=400, strict=True)] = Field(
        24, description="Pictures, evenly over the run or over the frames of a film."
    )
    columns: Annotated[int, Field(ge=1, le=100, strict=True)] = Field(
        6, description="Pictures side by side; they read like a page."
    )
    width: Annotated[int, Field(ge=16, le=1024, strict=True)] = Field(
        128, description="Of each picture in pixels, at most that of the canvas."
    )
    name: FileName = Field("contact-sheet", description="Of the file, without its extension .jpg.")


class ContactSheet(Exporter[ContactSheetConfig]):
    """Writes `contact-sheet.jpg`: pictures of the run from its first to its last, side by side and in rows."""

    def __init__(self, config: ContactSheetConfig, output: Output) -> None:
        super().__init__(config, output)
        first, film = output.first_step, output.film
        steps = list(range(first, output.steps + 1))
        if film is not None:
            ends = [film.end(frame) for frame in range(film.count(output.steps))]
            steps = [step for step in ends if step >= first] or steps
        count = min(config.count, len(steps))
        self._steps = {steps[round(index * (len(steps) - 1) / max(count - 1, 1))] for index in range(count)}
        self._shown: list[npt.NDArray[np.uint8]] = []

    @classmethod
    def claims(cls, config: ContactSheetConfig, canvases: int) -> list[str]:  # noqa: ARG003 - one for all
        """The one page."""
        return [f"{config.name}.jpg"]

    def write(self, report: StepReport) -> None:
        """Keep a small picture when it is its turn."""
        if report.step in self._steps:
            self._shown.append(self._small(report))

    def state(self) -> dict[str, torch.Tensor]:
        """The small pictures until now."""
        import numpy as np
        import torch

        return {"shown": torch.from_numpy(np.stack(self._shown))} if self._shown else {}

    def resume(self, state: Mapping[str, torch.Tensor], report: StepReport) -> None:
        """Take them over."""
        self._shown = []
        if "shown" in state and state["shown"].shape[1:] == self._small(report).shape:
            self._shown = list(state["shown"].numpy())

    def close(self) -> None:
        """Write the page."""
        import numpy as np
        from PIL import Image

        if not self._shown:
            return
        height, width, _ = self._shown[0].shape
        columns = min(self.config.columns, len(self._shown))
        page = np.full((ceil(len(self._shown) / columns) * height, columns * width, 3), 255, np.uint8)
        for index, picture in enumerate(self._shown):
            top, left = index // columns * height, index % columns * width
            page[top : top + height, left : left + width] = picture
        with self.output.whole(f"{self.config.name}.jpg") as file:
            Image.fromarray(page).save(file, "jpeg", quality=_QUALITY)

    def files(self) -> list[str]:
        """The page."""
        return [f"{self.config.name}.jpg"] if self._shown else []

    def _small(self, report: StepReport) -> npt.NDArray[np.uint8]:
        import numpy as np

        from pixforge.media.images import to_pil

        whole = to_pil(sheet(report.pixels, even=False))
        factor = min(1.0, self.config.width / whole.width)
        size = max(1, round(whole.width * factor)), max(1, round(whole.height * factor))
        return np.asarray(whole if size == whole.size else whole.resize(size, reducing_gap=3.0))
