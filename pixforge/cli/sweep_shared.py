"""What the commands about sweeps have in common."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from pixforge.errors import plain_name

if TYPE_CHECKING:
    from pixforge.contracts import Executor
    from pixforge.sweeps.carry import Summary
    from pixforge.sweeps.plan import Plan

ON = click.Option(
    ["--on"], metavar="EXECUTOR",
    help="Where the runs are made: local, processes or another executor, or '{type: processes, workers: 4}'.",
)  # fmt: skip


def executor_of(plan: Plan, word: str | None = None) -> Executor[Any]:
    """The executor that a plan names, or another one; of the plugins of its recipes.

    Raises:
        RecipeError: there is none of this name.
    """
    from pixforge.sweeps.carry import make_executor
    from pixforge.sweeps.work import Reader

    registry = Reader(plan.disabled).read(plan.runs[0].recipe).origin.registry
    return make_executor(
        plan.executor if word is None else executor_word(word),
        "executor" if word is None else "--on",
        registry,
    )


def executor_word(text: str) -> Any:
    """A name, or a mapping as YAML writes it."""
    from pixforge.recipe.overrides import parse_value

    return parse_value(text, "--on") if text.lstrip().startswith("{") else text


def report(summary: Summary, *, as_json: bool, quiet: bool) -> int:
    """Say where everything is and which run is best; returns the exit status."""
    from pixforge.reports.page import NAME as PAGE
    from pixforge.sweeps.carry import left

    folder, best = summary.folder, summary.best
    if as_json:
        print(json.dumps(_summary(summary)))
    else:
        print(folder / PAGE)
        if best is not None:
            print(f"best: {best.folder} (held-out score {best.score:.3f})")
    if not quiet:
        for each in summary.failed[:3]:
            print(f"pixforge: {each.name} failed: {plain_name(each.error or '')}", file=sys.stderr)
        if count := left(summary.facts):
            print(
                f"{count} of {len(summary.facts)} runs are not finished; "
                f"go on with: pixforge sweep resume {shlex.quote(plain_name(folder))}",
                file=sys.stderr,
            )
    return 130 if summary.interrupted else 1 if summary.failed else 0


def _summary(summary: Summary) -> dict[str, Any]:
    from pixforge.sweeps.carry import left

    best = summary.best
    return {
        "folder": str(summary.folder),
        "runs": len(summary.facts),
        "left": left(summary.facts),
        "failed": [each.name for each in summary.failed],
        "best": None if best is None else str(best.folder),
        "held_out_score": None if best is None else best.score,
    }
