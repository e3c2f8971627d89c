"""When a run ends before its last step."""

from __future__ import annotations

import time
from collections.abc import Mapping

import torch

from pixforge.contracts import Component, RunContext, StepReport
from pixforge.recipe.model import StopConfig


class Stopping(Component[StopConfig]):
    """Watches the reports of a run. The time is that of this process; the rest is kept in checkpoints."""

    kind = "stop"

    def __init__(self, config: StopConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self._begun = time.monotonic()
        self._best, self._since = float("inf"), 0

    def reason(self, report: StepReport) -> str | None:
        """Why the run ends after this report, in words; None when it goes on."""
        config = self.config
        if config.minutes is not None and time.monotonic() - self._begun >= 60 * config.minutes:
            return f"{config.minutes:g} minutes are over"
        if config.target is None and config.patience is None:
            return None  # reading the total waits for the device
        total = report.losses.get("total")
        if total is None:
            return None
        if config.target is not None and total <= config.target:
            return f"the total is {total:.4g}, which is not above the target of {config.target:g}"
        if total < self._best - config.margin:
            self._best, self._since = total, report.step
        if config.patience is not None and report.step - self._since >= config.patience:
            return f"the total was no better than {self._best:.4g} for {config.patience} steps"
        return None

    def state(self) -> dict[str, torch.Tensor]:
        """The least total, and its step."""
        return {"best": torch.tensor([self._best, self._since], dtype=torch.float64)}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take them over."""
        if "best" in state:
            self._best, self._since = float(state["best"][0]), int(state["best"][1])
