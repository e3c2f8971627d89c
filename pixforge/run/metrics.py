"""`metrics.csv`: every term of every step, written as the run goes on."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pixforge.contracts import StepReport

NAME = "metrics.csv"
_FLUSH_SECONDS = 2.0


class MetricsWriter:
    """One line a step: the step, every term by name (the mean over the canvases), learning rate, seconds it took."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._names: list[str] = []
        self._last = self._flushed = time.perf_counter()

    def write(self, report: StepReport) -> None:
        """Add a step; the start has no losses and gets no line.

        Raises:
            OSError: the disk is full.
        """
        now = time.perf_counter()
        seconds, self._last = now - self._last, now
        if report.step == 0:
            return
        file = self._file or self._open(report)
        values = [f"{report.losses[name]:.7g}" for name in self._names]
        csv.writer(file, lineterminator="\n").writerow(
            [report.step, *values, f"{report.learning_rate:.7g}", f"{seconds:.6f}"]
        )
        if now - self._flushed > _FLUSH_SECONDS:
            file.flush()
            self._flushed = now

    def close(self) -> None:
        """Write what is left.

        Raises:
            OSError: the disk is full.
        """
        if self._file is not None:
            self._file.close()

    def _open(self, report: StepReport) -> TextIO:
        """The terms are known from the first report on."""
        self._names = list(report.losses)
        self._file = self._path.open("w", encoding="utf-8", newline="")
        csv.writer(self._file, lineterminator="\n").writerow(
            ["step", *self._names, "learning_rate", "seconds"]
        )
        return self._file
