"""How fast a run is, and how long it still takes."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixforge.contracts import StepReport

LARGER = 3
"""So many times as long as a smaller step takes one of twice the width and height: 2.3 at 256 x 256, 4 at 512 x 512."""
RECENT = 50
"""Steps that the speed is measured over."""


class Pace:
    """Measured over the last steps of one size: before the first, the start is drawn, and a resumed run begins later."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, float]] = deque(maxlen=RECENT)
        self._from = self._steps = 0

    def see(self, report: StepReport) -> None:
        """Take note of a step that has just been made."""
        if self._seen and report.step <= self._seen[-1][0]:  # the run went back
            self._seen.clear()
        if self._seen and self._seen[-1][0] <= report.largest_from < report.step:
            last = self._seen[-1]
            self._seen.clear()
            self._seen.append(last)
        self._seen.append((report.step, time.perf_counter()))
        self._from, self._steps = report.largest_from, report.steps

    @property
    def rate(self) -> float:
        """Steps in a second; 0 before two steps of one size were seen."""
        if len(self._seen) < 2:
            return 0.0
        (first, begun), (step, now) = self._seen[0], self._seen[-1]
        return (step - first) / max(now - begun, 1e-9)

    @property
    def left(self) -> float | None:
        """Seconds to the last step; None before two steps of one size were seen."""
        if not self.rate:
            return None
        step = self._seen[-1][0]
        smaller = max(0, self._from - step)
        larger = self._steps - step - smaller
        return (smaller + larger * (LARGER if step <= self._from else 1)) / self.rate
