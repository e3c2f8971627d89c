"""A number from a table."""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from pathlib import Path
from typing import Literal

from pydantic import Field

from pixforge.contracts import Curve, CurveConfig, Moment
from pixforge.contracts.config import SMALLEST, check_float
from pixforge.contracts.paths import RecipePath

MAX_BYTES, MAX_ROWS = 8 * 2**20, 1_000_000


class TableConfig(CurveConfig):
    """Which file, and how it is read."""

    type: Literal["csv"] = "csv"
    csv: RecipePath = Field(
        description="A CSV file: moments in the first column, values in the others; a first line may name the columns."
    )
    column: str = Field("", description="Name of the column with the values; the second one when absent.")
    by: Literal["step", "frame", "second"] = Field("step", description="What the moments count.")
    scale: float = Field(1.0, description="Multiplies the values.")
    offset: float = Field(0.0, description="Is added to the values after that.")


class TableCurve(Curve[TableConfig]):
    """Values from a CSV file, with straight lines between them; before the first and after the last it stays level."""

    def __init__(self, config: TableConfig, folder: Path) -> None:
        super().__init__(config, folder)
        rows = sorted(_read(folder / config.csv, config.column))
        self._moments = [moment for moment, _ in rows]
        scaled = [value * config.scale + config.offset for _, value in rows]
        self._values = [check_float(value) if abs(value) > SMALLEST else 0.0 for value in scaled]

    def at(self, moment: Moment) -> float:
        """The value at a moment."""
        now = float(getattr(moment, self.config.by))
        right = bisect_right(self._moments, now)
        if right == 0 or right == len(self._moments):
            return self._values[0 if right == 0 else -1]
        start, end = self._moments[right - 1], self._moments[right]
        share = (now - start) / (end - start)
        return self._values[right - 1] + (self._values[right] - self._values[right - 1]) * share

    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest value of the file."""
        return min(self._values), max(self._values)


def _read(path: Path, column: str) -> list[tuple[float, float]]:
    try:
        if not path.is_file():
            raise ValueError(f"there is no file {path}")
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"{path} is larger than {MAX_BYTES // 2**20} MiB")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read ({error})") from None
    names = (
        []
        if rows and _number(rows[0][1][0]) is not None
        else [cell.strip() for cell in (rows.pop(0)[1] if rows else [])]
    )
    if column and column not in names:
        raise ValueError(f"{path} has no column '{column}'; its first line names the columns")
    index = names.index(column) if column else 1
    found = [_row(row, index, f"line {line} of {path}") for line, row in rows[:MAX_ROWS]]
    if not found:
        raise ValueError(f"{path} has no rows of numbers")
    return found


def _row(row: list[str], index: int, label: str) -> tuple[float, float]:
    """Moment and value; messages repeat nothing of the file, which a stranger's recipe may have named."""
    moment, value = _number(row[0]), _number(row[index]) if index < len(row) else None
    if moment is None or value is None:
        raise ValueError(f"{label} is no row of numbers")
    return moment, value


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
