"""How a run is shown while it goes on, on standard error: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pixforge.errors import plain_name
from pixforge.runs.pace import Pace

if TYPE_CHECKING:
    from rich.progress import Progress as Live
    from rich.progress import TaskID

    from pixforge.contracts import StepReport
    from pixforge.recipe import Recipe
    from pixforge.runs.result import Result

log = logging.getLogger(__name__)

_LIVE_SECONDS = 0.25
_PLAIN_SECONDS = 5.0
_SHORTEST_SECONDS = 0.5
_SHARE = 0.02
"""Of the time until now: fewer than 200 lines in the first hour, and 35 for each doubling after it."""


class Progress(Protocol):
    """Something that watches a run."""

    def start(self, recipe: Recipe, steps: int) -> None:
        """Called when everything is built, before the first step."""

    def update(self, report: StepReport) -> None:
        """Called after each step; reading `report.losses` of each would slow the run down."""

    def finish(self, result: Result | None) -> None:
        """Called once at the end, with None when the run failed."""


def make_progress(quiet: bool) -> Progress:
    """What suits standard error; silent when `quiet`."""
    if quiet:
        return Silent()
    return LiveProgress() if can_redraw() else PlainProgress()


def can_redraw() -> bool:
    """Whether standard error is a terminal on which a line can change."""
    return sys.stderr.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}


class Silent:
    """Shows nothing."""

    def start(self, recipe: Recipe, steps: int) -> None:
        """Show nothing."""

    def update(self, report: StepReport) -> None:
        """Show nothing."""

    def finish(self, result: Result | None) -> None:
        """Show nothing."""


class Careful:
    """A progress that falls silent when it cannot be printed, or fails otherwise: the run goes on."""

    def __init__(self, progress: Progress) -> None:
        self._progress: Progress = progress

    def start(self, recipe: Recipe, steps: int) -> None:
        """Pass it on."""
        self._guard(lambda: self._progress.start(recipe, steps))

    def update(self, report: StepReport) -> None:
        """Pass it on."""
        self._guard(lambda: self._progress.update(report))

    def finish(self, result: Result | None) -> None:
        """Pass it on."""
        self._guard(lambda: self._progress.finish(result))

    def _guard(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, ValueError) as error:  # ValueError: a stream that was closed
            self._progress = Silent()
            log.warning("progress is not shown any more: %s", error)
        except Exception as error:  # noqa: BLE001 - a watcher may be anyone's
            self._progress = Silent()
            log.warning("progress is not shown any more: %s: %s", type(error).__name__, error)


class PlainProgress:
    """A line about every tenth of the run, and every five seconds; of a run of hours more rarely, so that a log stays short."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._tenth = 0
        self._begun = self._printed = 0.0

    def start(self, recipe: Recipe, steps: int) -> None:
        """Say what is made."""
        self._pace = Pace()
        self._tenth = max(1, steps // 10)
        self._begun = self._printed = time.perf_counter()
        print(
            f"{plain_name(recipe.origin.name)}: {counted(steps, 'step')} of {recipe.size[0]} x {recipe.size[1]} pixels",
            file=sys.stderr,
        )

    def update(self, report: StepReport) -> None:
        """Print a line when it is time."""
        self._pace.see(report)
        now = time.perf_counter()
        waited = now - self._printed
        last = report.step == report.steps
        if (
            last
            or waited > max(_PLAIN_SECONDS, _SHARE * (now - self._begun))
            or (report.step % self._tenth == 0 and waited > _SHORTEST_SECONDS)
        ):
            self._printed = now
            head = f"step {report.step}/{report.steps} ({report.step / report.steps:.0%})"
            print(
                f"{head}  {terms(report.losses)}  {speed(self._pace)}".rstrip(),
                file=sys.stderr,
                flush=True,
            )

    def finish(self, result: Result | None) -> None:
        """Nothing more to say: the caller says where the files are."""


class LiveProgress:
    """One line that changes: a bar, the step, every term, steps per second and the time left."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._live: Live | None = None
        self._task: TaskID | None = None
        self._shown = 0.0

    def start(self, recipe: Recipe, steps: int) -> None:
        """Show the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Live
        from rich.table import Column

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[clock]}", markup=False),
            TextColumn("{task.fields[terms]}", markup=False, table_column=Column(no_wrap=False)),
        )
        self._live = Live(*columns, console=Console(stderr=True), auto_refresh=False)
        self._live.start()
        self._task = self._live.add_task(
            plain_name(recipe.origin.name), total=max(steps, 1), terms="", clock=""
        )
        self._live.refresh()
        self._pace = Pace()

    def update(self, report: StepReport) -> None:
        """Show the step, a few times a second at most."""
        self._pace.see(report)
        now = time.perf_counter()
        if (
            self._live is None
            or self._task is None
            or (now - self._shown < _LIVE_SECONDS and report.step < report.steps)
        ):
            return
        self._shown = now
        clock = speed(self._pace)
        self._live.update(
            self._task, completed=report.step, terms=terms(report.losses), clock=clock, refresh=True
        )

    def finish(self, result: Result | None) -> None:  # noqa: ARG002 - the last state stays on the screen
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()


def terms(losses: dict[str, float]) -> str:
    """Every term by name, on one line."""
    return "  ".join(f"{name} {value:.4g}" for name, value in losses.items())


def counted(number: int, word: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def speed(pace: Pace) -> str:
    """Speed and time left; empty before both are known."""
    if pace.left is None:
        return ""
    rate, left = pace.rate, round(pace.left)
    told = f"{rate:.1f} steps/s" if rate >= 1 else f"{1 / rate:.1f} s/step"
    return f"{told}, {left // 60}:{left % 60:02d} left"
