"""A sweep's runs as rows and columns of a contact sheet."""

from __future__ import annotations

from pixforge.reports.sheets import ACROSS, Grid
from pixforge.sweeps.plan import Plan, Planned

_SPARSE = 0.5
"""Share of cells with a run, below which a grid would be mostly holes."""
_LABELS = 4


def grid_of(plan: Plan) -> Grid:
    """Columns are the axis that changes fastest, rows all others; a sparse sample, or one long axis, just flows."""
    axes = varying(plan)
    if len(axes) > 1 or (axes and len(_values(plan, axes[0])) <= ACROSS):
        rows = sorted({tuple(run.place[axis] for axis in axes[:-1]) for run in plan.runs})
        columns = _values(plan, axes[-1])
        if len(plan.runs) >= _SPARSE * len(rows) * len(columns):
            cells = {
                (
                    rows.index(tuple(run.place[axis] for axis in axes[:-1])),
                    columns.index(run.place[axes[-1]]),
                ): run.name
                for run in plan.runs
            }
            row_texts = tuple(
                "\n".join(_label(plan, axis, index) for axis, index in zip(axes[:-1], row, strict=True))
                for row in rows
            )
            column_texts = tuple(_label(plan, axes[-1], index) for index in columns)
            return Grid(plan.title, row_texts, column_texts, cells)
    return _flow(plan, min(_LABELS, len(axes)) + 1)


def captions_of(plan: Plan, scores: dict[str, str], *, flows: bool) -> dict[str, str]:
    """The line below each picture: its name and score; where runs flow, its settings too."""
    return {
        run.name: "\n".join(
            [
                f"{run.name}  {scores.get(run.name, '')}".rstrip(),
                *(settings_texts(plan, run) if flows else []),
            ]
        )
        for run in plan.runs
    }


def settings_texts(plan: Plan, run: Planned) -> list[str]:
    """What is special about a run, a line for each axis that varies."""
    return [_label(plan, axis, run.place[axis]) for axis in varying(plan)]


def varying(plan: Plan) -> list[int]:
    """The axes on which runs differ."""
    return [axis for axis in range(len(plan.axes)) if len(_values(plan, axis)) > 1]


def _values(plan: Plan, axis: int) -> list[int]:
    return sorted({run.place[axis] for run in plan.runs})


def _label(plan: Plan, axis: int, index: int) -> str:
    found = plan.axes[axis]
    if found.paths == ("prompts",):
        return found.texts[index][0]
    return "\n".join(f"{path} {text}" for path, text in zip(found.paths, found.texts[index], strict=True))


def _flow(plan: Plan, lines: int) -> Grid:
    count = len(plan.runs)
    across = min(ACROSS, count)
    cells = {divmod(index, across): run.name for index, run in enumerate(plan.runs)}
    return Grid(plan.title, ("",) * -(-count // across), ("",) * across, cells, lines)
