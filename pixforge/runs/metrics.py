"""`metrics.csv`: every term of every step, written as the run goes on."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pixforge.contracts.files import whole_file
from pixforge.errors import InputError
from pixforge.ordinary_files import open_ordinary
from pixforge.runs.checkpoint import Metrics

if TYPE_CHECKING:
    from pixforge.contracts import StepReport

NAME = "metrics.csv"
_FLUSH_SECONDS = 2.0
_REST = ["learning_rate", "seconds"]


def changed_metrics(path: Path, known: Metrics | None) -> list[str]:
    """What is wrong with the file of which a checkpoint knows the beginning; nothing, or one objection.

    Raises:
        InputError: it must not be read.
    """
    if known is None or not known.bytes:
        return []
    try:
        with open_ordinary(path) as file:
            start = file.read(known.bytes)
    except FileNotFoundError:
        return [f"{NAME} is not there any more"]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if len(start) < known.bytes:
        return [f"{NAME} has been cut: it has {len(start)} bytes of {known.bytes}"]
    return [] if hashlib.sha256(start).hexdigest() == known.sha256 else [f"{NAME} is not the one of this run"]


class MetricsWriter:
    """One line a step: the step, every term by name (the mean over the canvases), learning rate, seconds it took."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._names: list[str] = []
        self._lines: list[bytes] = []
        self._bytes, self._digest = 0, hashlib.sha256()
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
        if self._file is not None and not report.losses.keys() <= set(self._names):
            self.flush()  # a branch with other losses
            self._file.close()
            self.resume(self._path, report.step, list(report.losses))
        if self._file is None:
            self._names = list(report.losses)
            self._file = self._path.open("wb", buffering=0)
            self._bytes, self._digest = 0, hashlib.sha256()
            self._lines.append(_line(["step", *self._names, *_REST]))
        values = [f"{report.losses[name]:.7g}" if name in report.losses else "" for name in self._names]
        self._lines.append(_line([report.step, *values, f"{report.learning_rate:.7g}", f"{seconds:.6f}"]))
        if now - self._flushed > _FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write whole lines.

        Raises:
            OSError: the disk is full.
        """
        self._flushed = time.perf_counter()
        if self._file is not None and self._lines:
            data, self._lines = b"".join(self._lines), []
            self._count(data)
            while data:
                data = data[self._file.write(data) or 0 :]

    def sync(self) -> None:
        """Bring all lines to the disk, for a checkpoint.

        Raises:
            OSError: the disk is full.
        """
        self.flush()
        if self._file is not None:
            os.fsync(self._file.fileno())

    def written(self) -> Metrics:
        """What is in the file, after `sync`."""
        return Metrics(bytes=self._bytes, sha256=self._digest.hexdigest())

    def _count(self, data: bytes) -> None:
        self._bytes += len(data)
        self._digest.update(data)

    def resume(self, source: Path, step: int, terms: list[str]) -> None:
        """Go on after a step: keep the lines of `source` until then, and add columns for terms that are new.

        Raises:
            OSError: a file cannot be read or written.
        """
        rows: list[dict[str, str]] = []
        names: list[str] = []
        if source.exists():
            with (
                open_ordinary(source) as stream,
                io.TextIOWrapper(stream, "utf-8", "replace", newline="") as file,
            ):
                reader = csv.DictReader(file, restval="")
                names = [name for name in reader.fieldnames or [] if name not in {"step", *_REST}]
                rows = [row for row in reader if _until(row, step)]
        if not rows:
            return
        self._names = names + [name for name in terms if name not in names]
        head = ["step", *self._names, *_REST]
        kept = b"".join(
            _line(cells) for cells in [head, *([row.get(name, "") for name in head] for row in rows)]
        )
        with whole_file(self._path) as target:
            target.write(kept)
        self._bytes, self._digest = 0, hashlib.sha256()
        self._count(kept)
        self._file = self._path.open("ab", buffering=0)

    def close(self) -> None:
        """Write what is left.

        Raises:
            OSError: the disk is full.
        """
        if self._file is not None:
            with self._file:
                self.flush()


def _line(cells: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _until(row: dict[str, str], step: int) -> bool:
    number = row.get("step") or ""
    return number.isascii() and number.isdigit() and 0 < int(number[:9]) <= step
