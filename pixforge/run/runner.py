"""A run in its folder: the loop, the checkpoints, and the record of what happened."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import NotFiniteError, PixforgeError, RunError
from pixforge.run.checkpoint import NAME as CHECKPOINT
from pixforge.run.manifest import NAME, final_values, write_manifest
from pixforge.run.metrics import NAME as METRICS
from pixforge.run.result import Result
from pixforge.run.saving import Saving
from pixforge.run.score import held_out_score
from pixforge.run.sinks import Sinks, as_run_error, open_sinks

if TYPE_CHECKING:
    from pixforge.contracts import StepReport
    from pixforge.engine import Session
    from pixforge.engine.optimize import Optimization
    from pixforge.run.progress import Progress
    from pixforge.run.stop import Stop

RECIPE = "recipe.yaml"
log = logging.getLogger(__name__)


@dataclass
class Run:
    """A run whose folder exists: from here on everything that happens is recorded.

    `last` is the report of the state that `loop` goes on from, None at the start.
    """

    session: Session
    folder: Path
    sinks: Sinks
    loop: Optimization
    saving: Saving
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
            self._record({"status": "running", "error": None, **self.facts, **self.saving.story()})
            self._loop()
            self.stop.saving()
            self._close()
            manifest = {**self._outcome(), **self.facts, **self.saving.story(), **self._values()}
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
            self.saving.spoiled = isinstance(error, NotFiniteError)
            self.errors.append(as_run_error(error, f"after step {done}"))
        self.timings["loop"] = time.perf_counter() - start

    def _steps(self) -> None:
        self.progress.start(self.session.recipe, self.session.scene.steps)
        if self.last is None:
            self._take(self.session.start())
        self._check_point(self.session.recipe.recovery.tries > 0)
        while not self._stopped():
            try:
                report = next(self.loop, None)
            except NotFiniteError as error:
                self._go_back(error)
                continue
            if report is None:
                return
            self._take(report)
            self.progress.update(report)
            self._check_point(self.saving.due(report.step))

    def _stopped(self) -> bool:
        if not self.stop.requested:
            return False
        if not self.loop.settled:
            self.loop.settle()
            return False
        self.interrupted = self.last is not None and self.last.step < self.last.steps
        return True

    def _take(self, report: StepReport) -> None:
        self.last = report
        self.sinks.write(report)

    def _check_point(self, due: bool) -> None:
        if not due or self.last is None:
            return
        if not self.loop.settled:
            self.loop.settle()  # the report that comes next fits the state
            return
        try:
            self.saving.save(self.loop.state(), self.last, self.sinks)
        except OSError as error:
            log.warning(
                "step %d: %s; the run goes on", self.last.step, as_run_error(error, CHECKPOINT, CHECKPOINT)
            )

    def _go_back(self, error: NotFiniteError) -> None:
        """To the last good checkpoint, with a smaller learning rate.

        Raises:
            NotFiniteError: there have been enough tries, or it is so from the start.
        """
        begin = self.saving.recover(error)
        self.sinks.close()
        self.errors += self.sinks.errors
        self.sinks = open_sinks(
            self.session.recipe, self.folder, self.session.generator, self.saving.first_step
        )
        self.loop = self.session.run(begin.state(), begin.facts.factor)
        self.last = begin.report(self.loop)
        self.sinks.resume(begin.tensors, self.last, self.folder / METRICS, branch=False)
        log.warning("%s", self.saving.recoveries[-1]["text"])

    def _close(self) -> None:
        start = time.perf_counter()
        if self.last is not None and self.loop.settled and not self.saving.spoiled:
            try:
                self.saving.save(self.loop.state(), self.last, self.sinks)
            except OSError as error:
                self.errors.append(as_run_error(error, str(self.folder / CHECKPOINT), CHECKPOINT))
        self.sinks.close()
        known = [str(error) for error in self.errors]
        self.errors += [error for error in self.sinks.errors if str(error) not in known]
        self.timings["export"] = time.perf_counter() - start

    def _outcome(self) -> dict[str, Any]:
        status = "failed" if self.errors else "interrupted" if self.interrupted else "finished"
        return {"status": status, "error": "; ".join(map(str, self.errors)) or None}

    def _values(self) -> dict[str, Any]:
        done = self.last.step - self.saving.begun_at if self.last else 0
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
            self.errors.append(as_run_error(error, str(self.folder / NAME), NAME))
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
        number = self.stop.number if self.interrupted else None
        made = manifest["files"]
        return Result(
            images, self.folder, losses, manifest, made, self.interrupted, number, self.session.recipe
        )
