"""The loss as a curve beside the frames of a video."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    from pixforge.contracts import Output, StepReport

    Frame = npt.NDArray[np.uint8]

_TOTAL = "total"
_LINE = (200, 60, 30)


class LossCurve:
    """Draws what the loss was until the step of a frame; the width stands for the whole run.

    Args:
        output: of the run.
    """

    def __init__(self, output: Output) -> None:
        self._first, self._steps = output.first_step, output.steps
        self._reports: list[tuple[int, StepReport]] = []
        self._known: list[tuple[int, float]] = []

    def add(self, report: StepReport) -> None:
        """Remember the loss of a step. It is read later, since reading waits for the device; the picture is not kept."""
        if _TOTAL in report.names:
            from dataclasses import replace

            self._reports.append((report.step, replace(report, image=report.image.new_empty(0))))

    def beside(self, frame: Frame, step: int) -> Frame:
        """The frame `[H, W, 3]` with a panel of the same size to its right."""
        import numpy as np
        from PIL import Image, ImageDraw, ImageFont

        height, width, _ = frame.shape
        panel = Image.new("RGB", (width, height), "white")
        pen = ImageDraw.Draw(panel)
        size = max(10, round(width / 22))
        left, right, top, bottom = size // 2, width - size // 2, 2 * size, height - size // 2
        pen.line([(left, top), (left, bottom), (right, bottom)], "black")
        shown = [(at, value) for at, value in self._values() if at <= step]
        if shown:
            pen.text((left, size // 3), f"loss {shown[-1][1]:.4g}", "black", ImageFont.load_default(size))
            low, high = min(value for _, value in shown), max(value for _, value in shown)
            across = (right - left) / max(1, self._steps - self._first)
            down = (bottom - top - 2) / (high - low or 1)
            line = [(left + (at - self._first) * across, top + (high - value) * down) for at, value in shown]
            pen.line(line if len(line) > 1 else line * 2, _LINE, max(1, size // 8))
        return np.concatenate([frame, np.asarray(panel)], axis=1)

    def state(self) -> dict[str, torch.Tensor]:
        """`curve` `[N, 2]`: steps and losses."""
        import torch

        return {"curve": torch.tensor(self._values(), dtype=torch.float64).view(-1, 2)}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take it over."""
        self._reports.clear()
        found = state["curve"].view(-1, 2).tolist() if "curve" in state else []
        self._known = [(int(step), value) for step, value in found if isfinite(step) and isfinite(value)]

    def _values(self) -> list[tuple[int, float]]:
        read = [(step, report.losses[_TOTAL]) for step, report in list(self._reports)]
        return self._known + [(step, value) for step, value in read if isfinite(value)]
