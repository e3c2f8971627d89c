"""What a sweep gives back beside the runs' folders: `sweep.csv`, contact sheets, `report.html`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pixforge.contracts.files import whole_file
from pixforge.reports.defaults import Defaults
from pixforge.reports.facts import RunFacts, read_facts
from pixforge.reports.page import NAME as PAGE
from pixforge.reports.page import Entry, write_page
from pixforge.reports.sheets import save_sheets
from pixforge.reports.thumbs import read_thumb
from pixforge.sweeps.grid import captions_of, grid_of, varying
from pixforge.sweeps.kept import kept_of
from pixforge.sweeps.plan import Plan

TABLE = "sweep.csv"
RUNS, THUMBS = "runs", "thumbs"


def run_folder_of(folder: Path, name: str) -> Path:
    """Where a run of the sweep is."""
    return folder / RUNS / name


def thumb_of(folder: Path, name: str) -> Path:
    """The small picture of a run."""
    return folder / THUMBS / f"{name}.jpg"


def write_results(folder: Path, plan: Plan) -> list[RunFacts]:
    """Write all three from what the runs' folders hold; returns what they say, in the order of the plan.

    Raises:
        OSError: one of them cannot be written.
    """
    facts = [read_facts(run_folder_of(folder, run.name), run.name) for run in plan.runs]
    plan, facts = _shown(folder, plan, facts)
    with whole_file(folder / TABLE) as file:
        file.write(table_text(plan, facts).encode())
    thumbs = {run.name: path for run in plan.runs if (path := thumb_of(folder, run.name)).is_file()}
    scores = {each.name: f"{each.score:.3f}" for each in facts if each.score is not None}
    grid = grid_of(plan)
    sheets = save_sheets(grid, thumbs, captions_of(plan, scores, flows=not any(grid.columns)), folder)
    shown = {path for axis in varying(plan) for path in plan.axes[axis].paths}
    defaults = Defaults()
    entries = [
        Entry(
            each,
            read_thumb(thumb_of(folder, each.name)),
            {path: text for path, text in plan.settings(run).items() if path in shown},
            defaults.differences(run.recipe),
            run.origin,
        )
        for run, each in zip(plan.runs, facts, strict=True)
    ]
    write_page(folder / PAGE, f"Sweep of {plan.title}", entries, sheets)
    return facts


def _shown(folder: Path, plan: Plan, facts: list[RunFacts]) -> tuple[Plan, list[RunFacts]]:
    """Without the runs that were not chosen; those that halving left behind are `dropped`."""
    if plan.optimize is not None:
        begun = [pair for pair in zip(plan.runs, facts, strict=True) if pair[1].status != "waiting"]
        if begun:
            return plan.model_copy(update={"runs": tuple(run for run, _ in begun)}), [
                each for _, each in begun
            ]
    kept = set(rounds[-1]) if (rounds := kept_of(folder)) else None
    if kept is not None and plan.halving is not None:
        facts = [
            replace(each, status="dropped")
            if each.status == "interrupted" and each.name not in kept
            else each
            for each in facts
        ]
    return plan, facts


def table_text(plan: Plan, facts: Sequence[RunFacts]) -> str:
    """`sweep.csv`: a line for each run with its settings, scores and final terms."""
    paths = list(dict.fromkeys(path for axis in plan.axes for path in axis.paths))
    terms = list(dict.fromkeys(name for each in facts for name in each.final))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    own = ["run", "status", "held_out_score"]
    rest = ["steps_done", "seconds"]
    writer.writerow([*own, *paths, *rest, *(f"final {name}" for name in terms), "folder", "error"])
    for run, each in zip(plan.runs, facts, strict=True):
        settings = plan.settings(run)
        writer.writerow(
            [
                each.name,
                each.status,
                "" if each.score is None else each.score,
                *(settings[path] for path in paths),
                "" if each.steps is None else each.steps,
                "" if each.seconds is None else f"{each.seconds:.3f}",
                *(f"{each.final[name]:.7g}" if name in each.final else "" for name in terms),
                f"{RUNS}/{each.name}",
                each.error or "",
            ]
        )
    return text.getvalue()
