"""Go on with a run that stopped, in its folder; or with changes, in a branch of its own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError, OutputError
from pixforge.recipe.differences import Difference
from pixforge.run.checkpoint import Checkpoint
from pixforge.run.folder import branch_folder, check_folder, clear_parts, locked, run_folder
from pixforge.run.manifest import NAME, describe_session, fingerprint
from pixforge.run.metrics import NAME as METRICS
from pixforge.run.plan import Plan, planned, refusal
from pixforge.run.progress import Progress, Silent
from pixforge.run.render import render, write_recipe
from pixforge.run.runner import RECIPE, Run
from pixforge.run.saving import Saving
from pixforge.run.sinks import open_sinks
from pixforge.run.stop import Stop

if TYPE_CHECKING:
    from pixforge.recipe.overrides import Override
    from pixforge.run.result import Result


def resume(
    folder: str | Path,
    overrides: Mapping[str, Any] | Iterable[Override] | None = None,
    *,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    disabled: Iterable[str] = (),
) -> Result:
    """Go on from a run folder's checkpoint.

    Without changes it goes on in the folder, and what it makes equals what a run that never stopped would have made (on
    the CPU bit for bit). With changes, more steps for one, it goes on in a new folder, and the old one stays as it is.

    Args:
        folder: of the run.
        overrides: values by path that change the recipe from here on.
        out: the new folder; beside the old one when absent.
        force: go on although the recipe's file, files that it names, or versions have changed.
        progress: watches it.
        disabled: plugins to leave out.

    Raises:
        InputError: there is nothing to go on with, or something has changed.
        RunError: it failed while running.
    """
    started = time.perf_counter()
    parent = Path(folder)
    check_folder(out)
    with ExitStack() as stack:
        if parent.is_dir() and os.access(parent, os.W_OK):
            stack.enter_context(locked(parent))
        plan = planned(parent, overrides, force, tuple(disabled))
        branch = bool(plan.changes) or out is not None
        if branch:
            target = Path(out) if out is not None else branch_folder(parent)
            name = plan.recipe.context.name
            target = stack.enter_context(run_folder(target, name))
            stack.enter_context(locked(target))
            if plan.saved is None:
                stack.close()
                return render(plan.recipe, target, progress=progress)
        else:
            target = _same_folder(plan)
        return _go_on(plan, target, branch, force, progress or Silent(), started)


def _same_folder(plan: Plan) -> Path:
    parent, saved = plan.parent, plan.saved
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{parent}: cannot be written to; -o DIR goes on in another folder")
    if saved is not None and saved.facts.step >= plan.recipe.steps and _status(parent) == "finished":
        raise InputError(
            f"{parent}: the run is finished, after {saved.facts.step} steps; --steps {2 * max(saved.facts.step, 50)} goes on"
        )
    clear_parts(parent)
    return parent


def _status(folder: Path) -> str | None:
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return str(found["status"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _go_on(plan: Plan, folder: Path, branch: bool, force: bool, progress: Progress, started: float) -> Result:
    from pixforge.engine import build

    recipe, saved = plan.recipe, plan.saved
    if saved is not None and saved.facts.step >= recipe.steps and plan.changes:
        raise InputError(
            f"{plan.parent}: the checkpoint is of step {saved.facts.step}; a branch needs more --steps than that"
        )
    session = build(recipe)
    versions = fingerprint(session)
    doubts = [*plan.doubts, *_other_versions(saved, versions, plan.changes)]
    if doubts and not force:
        raise refusal(plan.parent, doubts)
    facts, timings = describe_session(session), {"build": time.perf_counter() - started}
    loop = session.run(saved.state(), saved.facts.factor) if saved else session.run()
    last = saved.report(loop) if saved else None
    begin = saved.facts.model_copy(update={"first_step": saved.facts.step}) if saved and branch else None
    begin = begin or (saved.facts if saved else None)
    lineage = _lineage(plan, folder, branch, doubts)
    with Stop() as stop:
        saving = Saving(recipe, folder, versions, begin, lineage)
        sinks = open_sinks(recipe, folder, session.generator, saving.first_step)
        if saved is not None and last is not None:
            sinks.resume(saved.tensors, last, plan.parent / METRICS, branch=branch)
        if branch or not (folder / RECIPE).is_file():
            write_recipe(recipe, folder)
        run = Run(session, folder, sinks, loop, saving, stop, progress, facts, timings, last)
        return run.make(started)


def _other_versions(
    saved: Checkpoint | None, now: dict[str, str | None], changes: list[Difference]
) -> list[str]:
    """Whatever is not as it was, but for what the changes ask for."""
    if saved is None:
        return []
    wished = {each.where[0] for each in changes}
    then = saved.facts.versions
    free = {"device": "device", "precision": "precision"}
    return [
        f"{name}: {then.get(name)} -> {now.get(name)}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name) and free.get(name) not in wished and not _of_a_change(name, wished)
    ]


def _of_a_change(name: str, wished: set[str | int]) -> bool:
    return name.startswith(("weights of", "plugin ")) and bool(wished - {"steps", "checkpoint", "recovery"})


def _lineage(plan: Plan, folder: Path, branch: bool, doubts: list[str]) -> list[dict[str, Any]]:
    saved = plan.saved
    entry: dict[str, Any] = {
        "step": saved.facts.step if saved else 0,
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    if branch:
        entry["from"] = os.path.relpath(plan.parent.resolve(), folder.resolve())
        entry["changes"] = [str(each) for each in plan.changes]
    if doubts:
        entry["forced"] = doubts
    return [*(saved.facts.lineage if saved else []), entry]
