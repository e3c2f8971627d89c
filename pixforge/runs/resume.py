"""Go on with a run that stopped, in its folder; or with changes, in a branch of its own."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError, OutputError, plain_name
from pixforge.recipe.differences import Difference
from pixforge.runs.checkpoint import Checkpoint
from pixforge.runs.continuation import Continuation, entry, find_continuation, refusal
from pixforge.runs.folder import (
    RECIPE,
    branch_folder,
    check_folder,
    clear_parts,
    locked,
    refuse_odd_files,
    run_folder,
)
from pixforge.runs.manifest import describe_session, fingerprint, read_manifest
from pixforge.runs.metrics import NAME as METRICS
from pixforge.runs.render import new_run
from pixforge.runs.run import Run
from pixforge.runs.saving import Saving
from pixforge.runs.work import Work, write_recipe
from pixforge.runs.writers import open_writers

if TYPE_CHECKING:
    from pixforge.recipe.overrides import Override
    from pixforge.runs.control import Control
    from pixforge.runs.events import Event
    from pixforge.runs.progress import Progress
    from pixforge.runs.result import Result

log = logging.getLogger(__name__)


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
    return reopen(folder, overrides, out=out, force=force, disabled=disabled).wait(progress)


def reopen(
    folder: str | Path,
    overrides: Mapping[str, Any] | Iterable[Override] | None = None,
    *,
    out: str | Path | None = None,
    force: bool = False,
    disabled: Iterable[str] = (),
    previews: float | None = None,
) -> Run:
    """As `resume`, but a run to iterate; `previews` as in `start`.

    Raises:
        OutputError: the folder `out` cannot be used.
    """
    check_folder(out)
    wish = _Wish(Path(folder), overrides, out, force, tuple(disabled), previews)
    return Run(lambda control: _work(wish, control))


@dataclass(frozen=True)
class _Wish:
    parent: Path
    overrides: Any
    out: str | Path | None
    force: bool
    disabled: tuple[str, ...]
    previews: float | None


def _work(wish: _Wish, control: Control) -> Generator[Event, None, None]:
    started = time.perf_counter()
    parent, out = wish.parent, wish.out
    with ExitStack() as made, ExitStack() as locks:
        if parent.is_dir() and os.access(parent, os.W_OK):
            if out is None:
                refuse_odd_files(parent)
            locks.enter_context(locked(parent))
        continuation = find_continuation(parent, wish.overrides, wish.force, wish.disabled)
        branch = bool(continuation.changes) or out is not None
        if branch:
            name = continuation.recipe.origin.name
            folder = branch_folder(parent) if out is None else run_folder(Path(out), name)
            target = made.enter_context(folder)
            locks.enter_context(locked(target))
            if continuation.saved is None:
                locks.close()
                yield from new_run(continuation.recipe, target, wish.previews, control)
                return
        else:
            target = _same_folder(continuation)
        yield from _go_on(continuation, target, branch, wish, control, started)


def _same_folder(continuation: Continuation) -> Path:
    parent, saved = continuation.parent, continuation.saved
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{parent}: cannot be written to; -o DIR goes on in another folder")
    if saved is not None and _is_finished(continuation):
        more = 2 * max(saved.facts.step, 50)
        log.info(
            "%s: the run is finished, after %d steps; --steps %d goes on", parent, saved.facts.step, more
        )
    clear_parts(parent)
    return parent


def _is_finished(continuation: Continuation) -> bool:
    saved = continuation.saved
    done = saved is not None and saved.facts.step >= continuation.recipe.steps
    return done and read_manifest(continuation.parent).get("status") == "finished"


def _go_on(
    continuation: Continuation, folder: Path, branch: bool, wish: _Wish, control: Control, started: float
) -> Generator[Event, None, None]:
    from pixforge.engine.build import build

    recipe, saved = continuation.recipe, continuation.saved
    if saved is not None and saved.facts.step >= recipe.steps and continuation.changes:
        raise InputError(
            f"{continuation.parent}: the checkpoint is of step {saved.facts.step}; a branch needs more --steps than that"
        )
    session = build(recipe)
    versions = fingerprint(session)
    objections = [*continuation.objections, *_other_versions(saved, versions, continuation.changes)]
    if objections and not wish.force:
        raise refusal(continuation.parent, objections)
    facts, timings = describe_session(session), {"build": time.perf_counter() - started}
    loop = session.run(saved.state(), saved.facts.factor) if saved else session.run()
    last = saved.report(loop) if saved else None
    begin = _begin(saved, branch=branch)
    lineage = _lineage(continuation, folder, branch, objections)
    with control:
        saving = Saving(recipe, folder, versions, begin, lineage)
        writers = open_writers(recipe, folder, session.generator, saving.first_step)
        if saved is not None and last is not None:
            writers.resume(saved.tensors, last, continuation.parent / METRICS, branch=branch)
        if branch or not (folder / RECIPE).is_file():
            write_recipe(recipe, folder)
        work = Work(session, folder, writers, loop, saving, control, facts, timings, last, wish.previews)
        yield from work.make(started)


def _begin(saved: Checkpoint | None, *, branch: bool) -> Checkpoint | None:
    """What the checkpoints of the run go on from; a branch has a record of its own, and all its tries."""
    if saved is None or not branch:
        return saved
    own = {"first_step": saved.facts.step, "failed_step": -1, "recoveries": []}
    return replace(saved, facts=saved.facts.model_copy(update=own), previous=None)


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


def _lineage(
    continuation: Continuation, folder: Path, branch: bool, objections: list[str]
) -> list[dict[str, Any]]:
    saved = continuation.saved
    if saved is not None and not branch and not objections and _is_finished(continuation):
        return saved.facts.lineage  # nothing is added but files that somebody deleted
    facts: dict[str, Any] = {}
    if branch:
        # For people to read: names that are not UTF-8 cannot stand in JSON as they are.
        facts["from"] = plain_name(os.path.relpath(continuation.parent.resolve(), folder.resolve()))
        facts["changes"] = [str(each) for each in continuation.changes]
    if objections:
        facts["forced"] = objections
    return [*(saved.facts.lineage if saved else []), entry(saved, **facts)]
