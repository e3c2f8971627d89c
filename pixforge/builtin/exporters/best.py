"""The picture with the least total on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pixforge.contracts import Config, Exporter, Output, StepReport
from pixforge.contracts.paths import FileName

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch


class BestConfig(Config):
    """Its name, and from when on it counts."""

    type: Literal["best"] = "best"
    name: FileName = Field("best", description="Of the file, without its extension.")
    after: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the run before which no picture counts, where weights change over it.",
    )


class Best(Exporter[BestConfig]):
    """Writes each canvas's picture with the least total of all terms as PNG (`best.png`), with the recipe in it.

    The total of a step is that of the picture before it. Random cutouts make it noisy: the least is partly luck.
    """

    def __init__(self, config: BestConfig, output: Output) -> None:
        super().__init__(config, output)
        self._before: npt.NDArray[np.uint8] | None = None
        self._totals: list[float] = []
        self._best: list[npt.NDArray[np.uint8]] = []
        self._written: list[str] = []

    @classmethod
    def claims(cls, config: BestConfig, canvases: int) -> list[str]:
        """A picture for each canvas."""
        return _names(config, canvases)

    def write(self, report: StepReport) -> None:
        """Compare the picture of the step before, whose terms the report has."""
        layers = report.layers
        if not self._best:
            self._best, self._totals = list(layers), [float("inf")] * len(layers)
        if self._before is not None and report.step > self.config.after * report.steps:
            for index, terms in enumerate(report.losses_by_canvas):
                if terms and terms["total"] < self._totals[index]:
                    self._totals[index], self._best[index] = terms["total"], self._before[index]
        self._before = layers

    def state(self) -> dict[str, torch.Tensor]:
        """The best pictures and their totals."""
        import numpy as np
        import torch

        if not self._best:
            return {}
        return {
            "totals": torch.tensor(self._totals, dtype=torch.float64),
            "pictures": torch.from_numpy(np.stack(self._best)),
        }

    def resume(self, state: Mapping[str, torch.Tensor], report: StepReport) -> None:
        """Take them over."""
        self._before = report.layers
        self._best, self._totals = list(self._before), [float("inf")] * len(self._before)
        if "pictures" in state and state["pictures"].shape == self._before.shape:
            self._best, self._totals = list(state["pictures"].numpy()), state["totals"].tolist()

    def close(self) -> None:
        """Write them."""
        from pixforge.media.images import to_pil
        from pixforge.media.metadata import png_info

        names = _names(self.config, self.output.canvases)
        for name, pixels in zip(names, self._best, strict=False):
            with self.output.whole(name) as file:
                to_pil(pixels).save(file, "png", pnginfo=png_info(self.output.recipe))
            self._written.append(name)

    def files(self) -> list[str]:
        """What was written."""
        return self._written


def _names(config: BestConfig, canvases: int) -> list[str]:
    each: list[Any] = [f"-{index:02d}" for index in range(canvases)] if canvases > 1 else [""]
    return [f"{config.name}{canvas}.png" for canvas in each]
