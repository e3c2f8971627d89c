"""Run a recipe and keep everything that it makes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import OutputError
from pixforge.run.folder import check_folder, locked, run_folder, write_text
from pixforge.run.manifest import describe_session, fingerprint
from pixforge.run.progress import Progress, Silent
from pixforge.run.runner import RECIPE, Run
from pixforge.run.saving import Saving
from pixforge.run.sinks import open_sinks
from pixforge.run.stop import Stop

if TYPE_CHECKING:
    from pixforge.contracts import StepReport
    from pixforge.recipe import Recipe
    from pixforge.run.result import Result


def optimize(recipe: Recipe) -> Iterator[StepReport]:
    """The bare loop, without any file: a report for each step.

    Raises:
        PixforgeError: something that the recipe names is missing, or a term is not finite.
    """
    from pixforge.engine import build

    yield from build(recipe).run()


def render(recipe: Recipe, out: str | Path | None = None, *, progress: Progress | None = None) -> Result:
    """Run a recipe into a folder of its own: `out`, else `outputs/<name>-<number>`.

    Ctrl-C ends the run after the step in progress, saves everything and sets `interrupted`.

    Raises:
        InputError: the recipe cannot be built, or the folder cannot be used; nothing was written.
        RunError: it failed while running, or a file could not be written; what was made stays.
    """
    from pixforge.engine import build

    started = time.perf_counter()
    check_folder(out)
    session = build(recipe)
    facts = describe_session(session)
    timings = {"build": time.perf_counter() - started}
    with run_folder(out, recipe.context.name) as folder, locked(folder), Stop() as stop:
        sinks = open_sinks(recipe, folder, session.generator)
        write_recipe(recipe, folder)
        saving = Saving(recipe, folder, fingerprint(session))
        loop = session.run()
        run = Run(session, folder, sinks, loop, saving, stop, progress or Silent(), facts, timings)
        return run.make(started)


def write_recipe(recipe: Recipe, folder: Path) -> None:
    """Write `recipe.yaml`.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        write_text(folder / RECIPE, recipe.resolved_yaml(folder))
    except OSError as error:
        raise OutputError(
            f"{folder / RECIPE}: cannot be written ({error.strerror}); name another folder"
        ) from None
