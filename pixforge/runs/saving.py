"""When a checkpoint is due, what goes into it, and which one a run goes back to."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.runs.checkpoint import VALUES, Checkpoint, Facts, write_checkpoint

if TYPE_CHECKING:
    from pixforge.contracts import StepReport
    from pixforge.engine.state import State
    from pixforge.errors import NotFiniteError
    from pixforge.recipe import Recipe
    from pixforge.runs.writers import Writers


class Saving:
    """The checkpoints of one run.

    Args:
        recipe: says how often, and what is done about NaN.
        folder: where they are written.
        versions: what the bits depend on beside the recipe.
        begin: the checkpoint that the run goes on from.
        lineage: how it came to be, the last entry about this process.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        versions: dict[str, str | None],
        begin: Checkpoint | None = None,
        lineage: list[dict[str, Any]] | None = None,
    ) -> None:
        self._recipe = recipe
        self._folder = folder
        self._text = recipe.resolved_yaml(folder)
        self._versions = versions
        self._lineage = lineage or []
        facts = begin.facts if begin else Facts(step=0)
        self._factor = facts.factor
        self.first_step = facts.first_step
        self.begun_at = self._saved_step = facts.step
        self._saved_time = time.monotonic()
        self._kept: deque[Checkpoint] = deque(maxlen=2)
        if begin is not None and recipe.recovery.tries:
            self._kept.extend(each for each in (begin.previous, begin) if each is not None)
        self._failed_step = facts.failed_step
        self.recoveries: list[dict[str, Any]] = list(facts.recoveries)
        self.spoiled = False

    def due(self, step: int) -> bool:
        """Whether one should be made after this step."""
        wish = self._recipe.checkpoint
        by_steps = 0 < wish.every <= step - self._saved_step
        return by_steps or 0 < wish.seconds <= time.monotonic() - self._saved_time

    def save(self, state: State, report: StepReport, writers: Writers) -> None:
        """Write one.

        Raises:
            OSError: it cannot be written; the last one is as it was.
        """
        self._saved_step, self._saved_time = state.step, time.monotonic()
        tensors = {**state.tensors, **writers.state()}
        if report.values is not None:
            tensors[VALUES] = report.values.get().detach().cpu().contiguous()
        facts = Facts(
            step=state.step,
            first_step=self.first_step,
            learning_rate=report.learning_rate,
            factor=self._factor,
            terms=list(report.names),
            versions=self._versions,
            lineage=self._lineage,
            metrics=writers.metrics(),
            failed_step=self._failed_step,
            recoveries=self.recoveries,
        )
        checkpoint = Checkpoint(facts, self._text, tensors)
        if self._recipe.recovery.tries:
            self._keep(checkpoint)
        self._write(checkpoint)

    @property
    def needs_first(self) -> bool:
        """Whether a checkpoint must be made before the first step, to have a place to go back to."""
        return self._recipe.recovery.tries > 0 and not self._kept

    def _keep(self, checkpoint: Checkpoint) -> None:
        if self._kept and self._kept[-1].facts.step == checkpoint.facts.step:
            self._kept.pop()  # the same state again, at the end of a run or after one was resumed
        self._kept.append(checkpoint)

    def _write(self, checkpoint: Checkpoint) -> None:
        """With the one before it, where a recovery may need that: a resumed run goes back where this one would."""
        previous = self._kept[-2] if len(self._kept) > 1 else None
        if previous is not None:
            previous = replace(previous, previous=None)
        write_checkpoint(self._folder, replace(checkpoint, previous=previous))

    def recover(self, error: NotFiniteError) -> Checkpoint:
        """The checkpoint to go back to, with a smaller factor for the learning rate.

        Raises:
            NotFiniteError: there have been enough tries, or there is no better place.
        """
        if len(self.recoveries) >= self._recipe.recovery.tries or not self._kept:
            raise error
        # The term was computed from this very state, or going back to it has not helped: the one before it.
        if self._kept[-1].facts.step + 1 == error.step or self._failed_step == error.step:
            if len(self._kept) > 1:
                self._kept.pop()
            elif self._kept[-1].facts.step + 1 == error.step and error.step == self.first_step + 1:
                raise error
        self._failed_step = error.step
        self._factor *= self._recipe.recovery.factor
        begin = self._kept.pop()
        self.recoveries = [*self.recoveries, self._story_of(error, begin.facts.step)]
        learned = {"factor": self._factor, "failed_step": error.step, "recoveries": self.recoveries}
        begin = replace(begin, facts=begin.facts.model_copy(update=learned))
        self._kept.append(begin)
        self._saved_step = begin.facts.step
        self._write(begin)
        return begin

    def story(self) -> dict[str, Any]:
        """The entries of `run.json`."""
        story: dict[str, Any] = {}
        if self._lineage:
            story["lineage"] = self._lineage
        if self.recoveries:
            story["recoveries"] = self.recoveries
        return story

    def _story_of(self, error: NotFiniteError, step: int) -> dict[str, Any]:
        text = (
            f"step {error.step}: {error.term} of canvas {error.canvas} is not a finite number; "
            f"back to step {step} with {self._factor:g} times the learning rate"
        )
        return {"step": error.step, "term": error.term, "back_to": step, "factor": self._factor, "text": text}
