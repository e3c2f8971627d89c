"""When a run ends before its last step, or first lowers its learning rate."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

import torch

from pixforge.contracts import Component, RunContext, StepReport
from pixforge.recipe.model import StopConfig

log = logging.getLogger(__name__)


class Stopping(Component[StopConfig]):
    """Watches the reports of a run. The time is that of this process; the rest is kept in checkpoints."""

    kind = "stop"

    def __init__(self, config: StopConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self._begun = time.monotonic()
        self._best, self._since = float("inf"), 0
        self._drops, self._from = 0, 0

    def factor(self, step: int) -> float:
        """What the drops multiply the learning rate of a step by; at most the last one lies ahead."""
        return self.config.factor ** (self._drops - (step < self._from))

    def reason(self, report: StepReport) -> str | None:
        """Why the run ends after this report, in words; None when it goes on."""
        config = self.config
        if config.minutes is not None and time.monotonic() - self._begun >= 60 * config.minutes:
            return f"{config.minutes:g} minutes are over"
        if config.target is None and config.patience is None:
            return None  # reading the total waits for the device
        total = report.losses.get("total")
        return None if total is None else self._judged(report.step, total)

    def _judged(self, step: int, total: float) -> str | None:
        """Why the run ends with this total; None when it goes on, with a lower learning rate or not."""
        config = self.config
        if config.target is not None and total <= config.target:
            return f"the total is {total:.4g}, which is not above the target of {config.target:g}"
        if total < self._best - config.margin:
            self._best, self._since = total, step
        if config.patience is None or step - self._since < config.patience:
            return None
        if self._drops >= config.drops:
            return f"the total was no better than {self._best:.4g} for {config.patience} steps"
        self._drop(step)
        return None

    def _drop(self, step: int) -> None:
        """Lower the learning rate, from the step after the next one on.

        On a GPU the next one is made before this report is read, and a run is the same on all devices.
        """
        self._drops, self._from, self._since = self._drops + 1, step + 1, step
        log.info("step %d: the learning rate is lowered (%d)", step, self._drops)

    def state(self) -> dict[str, torch.Tensor]:
        """The least total, and the step from which patience counts; the drops, and the step of the last one."""
        return {
            "best": torch.tensor([self._best, self._since], dtype=torch.float64),
            "drops": torch.tensor([self._drops, self._from]),
        }

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take them over."""
        if "best" in state:
            self._best, self._since = float(state["best"][0]), int(state["best"][1])
        if "drops" in state:
            self._drops, self._from = (int(each) for each in state["drops"])
