"""Run a recipe and keep everything that it makes."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.runs.events import Preview
from pixforge.runs.folder import check_folder, locked, run_folder
from pixforge.runs.manifest import describe_session, fingerprint
from pixforge.runs.run import Run
from pixforge.runs.saving import Saving
from pixforge.runs.work import Work, write_recipe
from pixforge.runs.writers import open_writers

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import StepReport
    from pixforge.engine.session import Session
    from pixforge.recipe import Recipe
    from pixforge.runs.control import Control
    from pixforge.runs.events import Event
    from pixforge.runs.progress import Progress
    from pixforge.runs.result import Result


def optimize(recipe: Recipe) -> Iterator[StepReport]:
    """The bare loop, without any file: a report for each step, until the recipe's `stop`.

    Raises:
        PixforgeError: something that the recipe names is missing, or a term is not finite.
    """
    from pixforge.engine.build import build

    session = build(recipe)
    for report in session.run():
        yield report
        if session.stopping is not None and session.stopping.reason(report):
            return


def start(recipe: Recipe, out: str | Path | None = None, *, previews: float | None = None) -> Run:
    """A run of a recipe into a folder of its own: `out`, else `outputs/<name>-<number>`.

    Nothing happens before it is iterated.

    Args:
        recipe: what to make.
        out: a new or empty folder.
        previews: give the picture as an event when this many seconds have passed since the last time; 0 after each step.

    Raises:
        OutputError: the folder cannot be used.
    """
    check_folder(out)
    return Run(lambda control: new_run(recipe, out, previews, control))


def render(recipe: Recipe, out: str | Path | None = None, *, progress: Progress | None = None) -> Result:
    """Run a recipe into a folder of its own: `out`, else `outputs/<name>-<number>`.

    Ctrl-C ends the run after the step in progress, saves everything and sets `interrupted`.

    Raises:
        InputError: the recipe cannot be built, or the folder cannot be used; nothing was written.
        RunError: it failed while running, or a file could not be written; what was made stays.
    """
    return start(recipe, out).wait(progress)


def new_run(
    recipe: Recipe, out: str | Path | None, previews: float | None, control: Control
) -> Generator[Event, None, None]:
    """The work of a new run, as events.

    Raises:
        InputError: the recipe cannot be built, or the folder cannot be used; nothing was written.
        RunError: it failed while running, or a file could not be written; what was made stays.
    """
    from pixforge.engine.build import building

    started = time.perf_counter()
    session = yield from _shown(building(recipe, sketches=previews is not None))
    facts = describe_session(session)
    timings = {"build": time.perf_counter() - started}
    with run_folder(out, recipe.origin.name) as folder, locked(folder), control:
        writers = open_writers(recipe, folder, session.generator)
        write_recipe(recipe, folder)
        saving = Saving(recipe, folder, fingerprint(session))
        work = Work(
            session, folder, writers, session.run(), saving, control, facts, timings, previews=previews
        )
        yield from work.make(started)


def _shown(making: Generator[torch.Tensor, None, Session]) -> Generator[Event, None, Session]:
    """The session that is being built; what it shows meanwhile, as events."""
    from pixforge.media.images import to_pil

    try:
        while True:
            pixels = next(making).mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
            yield Preview(0, [to_pil(each) for each in pixels])
    except StopIteration as end:
        session: Session = end.value
        return session
