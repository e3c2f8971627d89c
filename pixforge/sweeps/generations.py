"""Make generations: runs, then children of the best, and so on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pixforge.contracts import Executor
from pixforge.sweeps.carry import Summary, carry_out, write_plan
from pixforge.sweeps.evolve import Evolution, next_generation, write_evolution
from pixforge.sweeps.plan import Plan


def carry_generations(
    folder: Path, evolution: Evolution, plan: Plan, executor: Executor[Any], count: int, *, quiet: bool
) -> Summary:
    """Make the first generation, and as many more as make `count`.

    Raises:
        InputError: no run of a generation has a score.
        RunError: the disk is full.
    """
    summary = _made(folder, evolution, plan, executor, quiet=quiet)
    return _more(folder, evolution, plan, executor, count - 1, (), summary, quiet=quiet)


def more_generations(
    folder: Path,
    evolution: Evolution,
    plan: Plan,
    executor: Executor[Any],
    count: int,
    chosen: Sequence[str],
    *,
    quiet: bool,
) -> Summary:
    """Make what is left, then `count` generations; the first of them is bred from the chosen runs.

    Raises:
        InputError: a chosen run does not exist, or no run has a score.
        RunError: the disk is full.
    """
    if chosen:
        next_generation(
            folder, evolution, plan, chosen
        )  # refuses names that do not exist before anything runs
    summary = _made(folder, evolution, plan, executor, quiet=quiet)
    return _more(folder, evolution, plan, executor, count, chosen, summary, quiet=quiet)


def _more(
    folder: Path, evolution: Evolution, plan: Plan, executor: Executor[Any], count: int, chosen: Sequence[str],
    summary: Summary, *, quiet: bool,
) -> Summary:  # fmt: skip
    for index in range(count):
        if summary.interrupted:
            break
        evolution, plan = next_generation(folder, evolution, plan, chosen if index == 0 else ())
        summary = _made(folder, evolution, plan, executor, quiet=quiet)
    return summary


def _made(folder: Path, evolution: Evolution, plan: Plan, executor: Executor[Any], *, quiet: bool) -> Summary:
    """One generation. The plan is written before the record of how it came about: a kill between costs a generation at most."""
    write_plan(folder, plan)
    write_evolution(folder, evolution)
    if not quiet:
        print(f"generation {evolution.generation}", file=sys.stderr, flush=True)
    return carry_out(folder, plan, executor, quiet=quiet)
