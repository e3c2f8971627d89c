"""The loss as a curve beside the frames of a video."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
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

    Each report is read once: when the first frame after it is drawn, or when the state is asked for.

    Args:
        output: of the run.
    """

    def __init__(self, output: Output) -> None:
        self._first, self._steps = output.first_step, output.steps
        self._unread: deque[StepReport] = deque()
        self._at, self._values = array("d"), array("d")

    def add(self, report: StepReport) -> None:
        """Remember the loss of a step. It is read later, since reading waits for the device; the picture is not kept."""
        if _TOTAL in report.names:
            from dataclasses import replace

            self._unread.append(replace(report, image=report.image.new_empty(0)))

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
        self._read(step)
        count = bisect_right(self._at, step)
        if count:
            at, values = np.array(self._at[:count]), np.array(self._values[:count])
            pen.text((left, size // 3), f"loss {values[-1]:.4g}", "black", ImageFont.load_default(size))
            low, high = values.min(), values.max()
            across = (right - left) / max(1, self._steps - self._first)
            down = (bottom - top - 2) / (high - low or 1)
            line = np.stack([left + (at - self._first) * across, top + (high - values) * down], axis=1)
            points = line.ravel().tolist()
            pen.line(points if count > 1 else points * 2, _LINE, max(1, size // 8))
        return np.concatenate([frame, np.asarray(panel)], axis=1)

    def state(self) -> dict[str, torch.Tensor]:
        """`curve` `[N, 2]`: steps and losses."""
        import torch

        self._read(self._steps)
        known = list(zip(self._at, self._values, strict=True))
        return {"curve": torch.tensor(known, dtype=torch.float64).view(-1, 2)}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take it over."""
        self._unread.clear()
        self._at, self._values = array("d"), array("d")
        for step, value in state["curve"].view(-1, 2).tolist() if "curve" in state else []:
            self._keep(step, value)

    def _read(self, until: int) -> None:
        """The reports up to a step. Later ones may still be on their way from the device."""
        while self._unread and self._unread[0].step <= until:
            report = self._unread.popleft()
            self._keep(report.step, report.losses[_TOTAL])

    def _keep(self, step: float, value: float) -> None:
        if isfinite(step) and isfinite(value):
            self._at.append(step)
            self._values.append(value)
