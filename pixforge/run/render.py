"""Run a recipe and keep everything that it makes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import OutputError, PixforgeError, RunError
from pixforge.run.checkpoint import NAME as CHECKPOINT
from pixforge.run.checkpoint import write_checkpoint
from pixforge.run.folder import check_folder, run_folder, write_text
from pixforge.run.manifest import NAME, describe_session, final_values, write_manifest
from pixforge.run.progress import Progress, Silent
from pixforge.run.result import Result
from pixforge.run.score import held_out_score
from pixforge.run.sinks import Sinks, as_run_error, open_sinks
from pixforge.run.stop import Stop

if TYPE_CHECKING:
    from pixforge.contracts import StepReport
    from pixforge.engine import Session
    from pixforge.recipe import Recipe

RECIPE = "recipe.yaml"


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
    built = time.perf_counter()
    with run_folder(out, recipe.context.name) as folder, Stop() as stop:
        sinks = open_sinks(recipe, folder, session.generator)
        _write_recipe(recipe, folder)
        run = _Run(session, folder, sinks, stop, progress or Silent(), facts, {"build": built - started})
        return run.make(started)


def _write_recipe(recipe: Recipe, folder: Path) -> None:
    try:
        write_text(folder / RECIPE, recipe.resolved_yaml(folder))
    except OSError as error:
        raise OutputError(
            f"{folder / RECIPE}: cannot be written ({error.strerror}); name another folder"
        ) from None


@dataclass
class _Run:
    """A run whose folder exists: from here on everything that happens is recorded."""

    session: Session
    folder: Path
    sinks: Sinks
    stop: Stop
    progress: Progress
    facts: dict[str, Any]
    timings: dict[str, float]
    last: StepReport | None = None
    interrupted: bool = False
    errors: list[PixforgeError] = field(default_factory=list)

    def make(self, started: float) -> Result:
        """Loop, save, score, and write `run.json`.

        Raises:
            RunError: something failed; the first failure is the cause.
        """
        result: Result | None = None
        try:
            self._loop()
            self.stop.saving()
            self._close()
            manifest = {**self._outcome(), **self.facts, **self._values()}
            self.timings["total"] = time.perf_counter() - started
            self._record(manifest)
            self._notify("pixforge_run_finished", folder=self.folder, manifest=manifest)
            self._raise_errors()
            result = self._result(manifest)
        finally:
            self.progress.finish(result)
        return result

    def _loop(self) -> None:
        start = time.perf_counter()
        try:
            self._notify("pixforge_run_started", folder=self.folder)
            if not self.errors:
                self._steps()
        except KeyboardInterrupt:
            self.interrupted = True
        except Exception as error:  # noqa: BLE001 - components may be anyone's; it is raised when all is saved
            done = self.last.step if self.last else 0
            self.errors.append(as_run_error(error, f"after step {done}"))
        self.timings["loop"] = time.perf_counter() - start

    def _steps(self) -> None:
        self.progress.start(self.session.recipe, self.session.scene.steps)
        for report in chain([self.session.start()], self.session.run()):
            self.last = report
            self.sinks.write(report)
            if report.step:
                self.progress.update(report)
            if self.stop.requested:
                self.interrupted = report.step < report.steps
                return

    def _close(self) -> None:
        start = time.perf_counter()
        self.sinks.close()
        self.errors += [error for error in self.sinks.errors if str(error) not in map(str, self.errors)]
        try:
            write_checkpoint(self.session, self.folder, self.last.step if self.last else 0)
        except OSError as error:
            self.errors.append(as_run_error(error, str(self.folder / CHECKPOINT)))
        self.timings["export"] = time.perf_counter() - start

    def _outcome(self) -> dict[str, Any]:
        status = "failed" if self.errors else "interrupted" if self.interrupted else "finished"
        return {"status": status, "error": "; ".join(map(str, self.errors)) or None}

    def _values(self) -> dict[str, Any]:
        done = self.last.step if self.last else 0
        self.timings["per_step"] = self.timings["loop"] / max(done, 1)
        values: dict[str, Any] = {"timings": self.timings, "chunks": self.session.chunks()}
        if self.last is not None:
            values |= final_values(self.last)
            values |= held_out_score(self.session, self.last.image)
        made = [name for name in [RECIPE, *self.sinks.files(), CHECKPOINT] if (self.folder / name).exists()]
        return {**values, "files": [*made, NAME]}

    def _record(self, manifest: dict[str, Any]) -> None:
        try:
            write_manifest(self.folder, manifest)
        except OSError as error:
            self.errors.append(as_run_error(error, str(self.folder / NAME)))
            manifest.update(self._outcome())

    def _notify(self, hook: str, **arguments: Any) -> None:
        recipe = self.session.recipe
        try:
            recipe.context.registry.plugins.notify(hook, recipe=recipe, **arguments)
        except PixforgeError as error:
            self.errors.append(error)

    def _raise_errors(self) -> None:
        if self.errors:
            text = "; also ".join(map(str, self.errors))
            raise RunError(f"{text}; what was made until then is in {self.folder}") from self.errors[0]

    def _result(self, manifest: dict[str, Any]) -> Result:
        from pixforge.images import to_pil

        # Broken off before the first picture, there is none.
        images = [to_pil(pixels) for pixels in self.last.pixels] if self.last else []
        losses = self.last.losses if self.last else {}
        return Result(images, self.folder, losses, manifest, manifest["files"], self.interrupted)
