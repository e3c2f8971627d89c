"""Executors: where the runs of a sweep are made."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pixforge.contracts.component import C, Component

Status = Literal["finished", "paused", "interrupted", "failed"]


@dataclass(frozen=True)
class Outcome:
    """How a job ended. `interrupted` means by the user: no further job is begun; `error` is one line.

    `paused` means that it stopped where it should stop for now.
    """

    name: str
    status: Status
    error: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Job:
    """One run, as plain data that can be pickled.

    `work(folder)` makes the run in a folder, or goes on with it from the checkpoint there. It returns also when the run
    failed. SIGINT and SIGTERM make it save and return `interrupted`, if it is called in the main thread of a process.

    The folder may be on another machine: with what it holds already, and copies of `files`, at the same places relative to
    each other as here. `files` are filled in for executors that are `remote`.
    """

    name: str
    folder: Path
    work: Callable[[Path], Outcome]
    files: tuple[Path, ...] = ()

    def __call__(self) -> Outcome:
        """Make the run in its folder."""
        return self.work(self.folder)


class Executor(Component[C]):
    """Makes the runs of a sweep: `--on processes`, or `executor: {type: processes, workers: 4}` in the sweep's file.

    It is built as `Class(config)`, for one sweep.
    """

    kind = "executor"
    remote: ClassVar[bool] = False
    """Whether it may work where the files of this machine are not. What the recipes name is then copied into the sweep."""

    def __init__(self, config: C) -> None:
        self.config = config

    @property
    def at_once(self) -> int:
        """How many jobs it does at a time. A search that learns from outcomes chooses so many runs together."""
        return 1

    @abstractmethod
    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Do the jobs, and give the outcome of each when it is there, in any order.

        A job whose process or machine dies has an outcome too: it is done again elsewhere, or has `failed`. When the
        iterator is closed, or Ctrl-C interrupts it, no job begins any more, and those in progress save and end before it
        returns.

        Raises:
            InputError: there is nothing to run on, such as a cluster that is gone.
        """
