"""A run in its folder: the loop, the checkpoints, and the record of what happened."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import NotFiniteError, OutputError, PixforgeError, RunError
from pixforge.runs.changing import prepare
from pixforge.runs.checkpoint import NAME as CHECKPOINT
from pixforge.runs.control import Control
from pixforge.runs.events import Changed, Event, Finished, Frame, Looked, Preview, Saved, Started, Step
from pixforge.runs.folder import RECIPE, write_text
from pixforge.runs.manifest import NAME, describe_session, final_values, write_manifest
from pixforge.runs.metrics import NAME as METRICS
from pixforge.runs.result import Result
from pixforge.runs.saving import Saving
from pixforge.runs.score import held_out_score
from pixforge.runs.writers import Writers, as_run_error, open_writers

if TYPE_CHECKING:
    from pixforge.contracts import StepReport
    from pixforge.engine.loop import Optimization
    from pixforge.engine.session import Session
    from pixforge.recipe import Recipe
    from pixforge.runs.changing import Successor
    from pixforge.runs.checkpoint import Checkpoint

log = logging.getLogger(__name__)


@dataclass
class Work:
    """The work of a run whose folder exists: from here on everything that happens is recorded.

    `last` is the report of the state that `loop` goes on from, None at the start; `previews` is the number of seconds
    between two previews, None for none.
    """

    session: Session
    folder: Path
    writers: Writers
    loop: Optimization
    saving: Saving
    control: Control
    facts: dict[str, Any]
    timings: dict[str, float]
    last: StepReport | None = None
    previews: float | None = None
    interrupted: bool = False
    ended: str | None = None
    """Why the recipe's `stop` ended the run."""
    errors: list[PixforgeError] = field(default_factory=list)
    _shown: float = 0.0

    def make(self, started: float) -> Iterator[Event]:
        """Loop, save, score, and write `run.json`.

        Raises:
            RunError: something failed; the first failure is the cause.
        """
        self._record({"status": "running", "error": None, **self.facts, **self.saving.story()})
        abandoned = False
        try:
            yield from self._loop()
        except GeneratorExit:
            self.interrupted = abandoned = True
        self.control.saving()
        self._close()
        manifest = {**self._outcome(), **self.facts, **self.saving.story(), **self._values()}
        self.timings["total"] = time.perf_counter() - started
        self._record(manifest)
        self._notify("pixforge_run_finished", folder=self.folder, manifest=manifest)
        self._raise_errors()
        if not abandoned:
            yield Finished(self._result(manifest))

    def _loop(self) -> Iterator[Event]:
        start = time.perf_counter()
        try:
            self._notify("pixforge_run_started", folder=self.folder)
            if not self.errors:
                yield from self._steps()
        except KeyboardInterrupt:
            self.interrupted = True
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - components may be anyone's, and call sys.exit
            done = self.last.step if self.last else 0
            self.saving.spoiled = isinstance(error, NotFiniteError)
            self.errors.append(as_run_error(error, f"after step {done}"))
        finally:
            self.timings["loop"] = time.perf_counter() - start

    def _steps(self) -> Iterator[Event]:
        steps = self.session.context.steps
        yield Started(self.session.recipe, self.folder, steps, self.last.step if self.last else 0)
        if self.last is None:
            yield from self._take(self.session.start())
        yield from self._check_point(self.saving.needs_first)
        while True:
            self.control.wait()
            if self.control.asks_to_look():
                yield from self._look()
                continue  # a pause goes on
            if self.control.has_changes and self.loop.caught_up and self.last is not None:
                yield from self._change()
            if self._stopped():
                return
            try:
                report = self._next()
            except NotFiniteError as error:
                self._go_back(error)
                continue
            if report is None:
                return
            yield from self._take(report)
            if self.ended is None and self.session.stopping is not None:
                self.ended = self.session.stopping.reason(report)
            yield from self._check_point(self.saving.due(report.step))

    def _next(self) -> StepReport | None:
        if self.control.has_changes and not self.loop.caught_up:
            self.loop.catch_up()  # the change is made when the report fits the state
        return next(self.loop, None)

    def _stopped(self) -> bool:
        if not self.control.requested and self.ended is None:
            return False
        if not self.loop.caught_up:
            self.loop.catch_up()
            return False
        if self.ended is None:
            self.interrupted = self.last is not None and self.last.step < self.last.steps
        elif self.last is not None:
            log.warning("ended after step %d: %s", self.last.step, self.ended)
        return True

    def _take(self, report: StepReport) -> Iterator[Event]:
        self.last = report
        self.writers.write(report)
        yield Step(report)
        film = self.session.context.film
        frame = None if film is None else film.frame(report.step)
        if frame is not None:
            yield Frame(frame, report)
        now = time.perf_counter()
        if self.previews is not None and now - self._shown >= self.previews:
            from pixforge.media.images import to_pil

            self._shown = now
            yield Preview(report.step, [to_pil(pixels) for pixels in report.draft().layers])

    def _look(self) -> Iterator[Event]:
        from pixforge.engine.looking import cutouts_of
        from pixforge.media.images import to_pil

        step = self.last.step if self.last else 0
        try:
            found = cutouts_of(self.session, min(step, max(self.session.context.steps - 1, 0)), present=True)
        except Exception as error:  # noqa: BLE001 - components may be anyone's, and to look is no reason to end
            log.warning("step %d: the cutouts cannot be shown: %s", step, error)
            return
        bytes_of = {
            size: each.mul(255).round().byte().permute(0, 2, 3, 1).cpu() for size, each in found.items()
        }
        yield Looked(step, {size: [to_pil(one.numpy()) for one in each] for size, each in bytes_of.items()})

    def _check_point(self, due: bool) -> Iterator[Event]:
        if not due or self.last is None:
            return
        if not self.loop.caught_up:
            self.loop.catch_up()  # the report that comes next fits the state
            return
        if self._save():
            yield Saved(self.last.step, self.folder / CHECKPOINT)

    def _save(self) -> bool:
        """Make a checkpoint; one that cannot be written is no reason to end."""
        assert self.last is not None
        try:
            self.saving.save(self.loop.state(), self.last, self.writers)
        except OSError as error:
            reason = as_run_error(error, CHECKPOINT, CHECKPOINT)
            log.warning("step %d: %s; the run goes on", self.last.step, reason)
            return False
        return True

    def _change(self) -> Iterator[Event]:
        """Go on with other values from the present state, as a branch would, but in this folder."""
        assert self.last is not None
        overrides = self.control.next_change()
        if overrides is None:
            return
        try:
            self.saving.save(self.loop.state(), self.last, self.writers)
            yield Saved(self.last.step, self.folder / CHECKPOINT)
            successor = prepare(self.folder, overrides)
        except (PixforgeError, OSError) as error:
            self._refuse(error)
            return
        if successor is not None:
            yield from self._hand_over(successor)

    def _hand_over(self, to: Successor) -> Iterator[Event]:
        """Take the successor's place; where its writers cannot go on, those of the present recipe do."""
        assert self.last is not None
        try:
            self._exchange(to.writers, to.saved, to.last)
            write_recipe(to.session.recipe, self.folder)
        except PixforgeError as error:
            to.writers.close()
            self.writers = self._open_again()
            self.writers.resume(to.saved.tensors, self.last, self.folder / METRICS, branch=False)
            self._refuse(error)
            return
        self.session, self.loop, self.saving, self.last = to.session, to.loop, to.saving, to.last
        self.facts = describe_session(to.session)
        self._save()
        yield Changed(to.saved.facts.step, to.changes)

    def _refuse(self, error: Exception) -> None:
        step = self.last.step if self.last else 0
        log.warning("step %d: a change is not possible: %s; the run goes on as it was", step, error)

    def _exchange(self, writers: Writers, saved: Checkpoint, last: StepReport) -> None:
        """Let other writers go on from a checkpoint.

        Raises:
            InputError: they cannot.
        """
        self.writers.close()
        self.errors += self.writers.errors
        self.writers = writers
        writers.resume(saved.tensors, last, self.folder / METRICS, branch=False)

    def _open_again(self) -> Writers:
        session = self.session
        return open_writers(session.recipe, self.folder, session.generator, self.saving.first_step)

    def _go_back(self, error: NotFiniteError) -> None:
        """To the last good checkpoint, with a smaller learning rate.

        Raises:
            NotFiniteError: there have been enough tries, or it is so from the start.
        """
        begin = self.saving.recover(error)
        self.loop = self.session.run(begin.state(), begin.facts.factor)
        self.last = begin.report(self.loop)
        self._exchange(self._open_again(), begin, self.last)
        log.warning("%s", self.saving.recoveries[-1]["text"])

    def _close(self) -> None:
        start = time.perf_counter()
        if self.last is not None and self.loop.caught_up and not self.saving.spoiled:
            try:
                self.saving.save(self.loop.state(), self.last, self.writers)
            except OSError as error:
                self.errors.append(as_run_error(error, str(self.folder / CHECKPOINT), CHECKPOINT))
        self.writers.close()
        known = [str(error) for error in self.errors]
        self.errors += [error for error in self.writers.errors if str(error) not in known]
        self.timings["export"] = time.perf_counter() - start

    def _outcome(self) -> dict[str, Any]:
        status = "failed" if self.errors else "interrupted" if self.interrupted else "finished"
        return {"status": status, "error": "; ".join(map(str, self.errors)) or None}

    def _values(self) -> dict[str, Any]:
        done = self.last.step - self.saving.begun_at if self.last else 0
        self.timings["per_step"] = self.timings["loop"] / max(done, 1)
        values: dict[str, Any] = {
            "timings": self.timings,
            "chunks": self.session.chunks(),
            "ended": self.ended,
        }
        if self.last is not None:
            values |= final_values(self.last)
            values |= held_out_score(self.session, self.last.image)
        made = [name for name in [RECIPE, *self.writers.files(), CHECKPOINT] if (self.folder / name).exists()]
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
            recipe.origin.registry.plugins.notify(hook, recipe=recipe, **arguments)
        except PixforgeError as error:
            self.errors.append(error)

    def _raise_errors(self) -> None:
        if self.errors:
            text = "; also ".join(map(str, self.errors))
            raise RunError(f"{text}; what was made until then is in {self.folder}") from self.errors[0]

    def _result(self, manifest: dict[str, Any]) -> Result:
        from pixforge.media.images import to_pil

        # Broken off before the first picture, there is none.
        images = [to_pil(pixels) for pixels in self.last.layers] if self.last else []
        losses = self.last.losses if self.last else {}
        number = self.control.number if self.interrupted else None
        made = manifest["files"]
        return Result(
            images, self.folder, losses, manifest, made, self.interrupted, number, self.session.recipe
        )


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
