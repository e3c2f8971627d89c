"""When a checkpoint is due, what goes into it, and which one a run goes back to."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.run.checkpoint import VALUES, Checkpoint, Facts, write_checkpoint

if TYPE_CHECKING:
    from pixforge.contracts import StepReport
    from pixforge.engine.state import State
    from pixforge.errors import NotFiniteError
    from pixforge.recipe import Recipe
    from pixforge.run.sinks import Sinks


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
        begin: Facts | None = None,
        lineage: list[dict[str, Any]] | None = None,
    ) -> None:
        self._recipe = recipe
        self._folder = folder
        self._text = recipe.resolved_yaml(folder)
        self._versions = versions
        self._lineage = lineage or []
        self._factor = begin.factor if begin else 1.0
        self.first_step = begin.first_step if begin else 0
        self.begun_at = self._saved_step = begin.step if begin else 0
        self._saved_time = time.monotonic()
        self._kept: deque[Checkpoint] = deque(maxlen=2)
        self._failed_step = -1
        self.recoveries: list[dict[str, Any]] = []
        self.spoiled = False

    def due(self, step: int) -> bool:
        """Whether one should be made after this step."""
        wish = self._recipe.checkpoint
        by_steps = 0 < wish.every <= step - self._saved_step
        return by_steps or 0 < wish.seconds <= time.monotonic() - self._saved_time

    def save(self, state: State, report: StepReport, sinks: Sinks) -> None:
        """Write one.

        Raises:
            OSError: it cannot be written; the last one is as it was.
        """
        self._saved_step, self._saved_time = state.step, time.monotonic()
        tensors = {**state.tensors, **sinks.state()}
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
        )
        checkpoint = Checkpoint(facts, self._text, tensors)
        if self._recipe.recovery.tries:
            self._kept.append(checkpoint)
        write_checkpoint(self._folder, checkpoint)

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
            elif self._kept[-1].facts.step + 1 == error.step and error.step == self.begun_at + 1:
                raise error
        self._failed_step = error.step
        self._factor *= self._recipe.recovery.factor
        begin = self._kept.pop()
        begin = replace(begin, facts=begin.facts.model_copy(update={"factor": self._factor}))
        self._kept.append(begin)
        self._saved_step = begin.facts.step
        self.recoveries.append(self._story_of(error, begin.facts.step))
        write_checkpoint(self._folder, begin)
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
