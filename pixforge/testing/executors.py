"""The check that every executor must pass: it is given jobs that make a file each instead of a picture."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixforge.contracts import Executor, Job, Outcome, RunContext
from pixforge.contracts.executor import Status

_FILE = "made.txt"


@dataclass(frozen=True)
class FakeWork:
    """Writes a file into the folder, and ends as it was told."""

    name: str
    status: Status = "finished"

    def __call__(self, folder: Path) -> Outcome:
        """Make the folder and the file."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _FILE).write_text(self.name, encoding="utf-8")
        return Outcome(self.name, self.status, "as it was told" if self.status == "failed" else None)


def check_executor(component: type[Executor[Any]], context: RunContext, **fields: Any) -> None:  # noqa: ARG001 - as all checks
    """Every job has one outcome and has worked in its folder; none begins after one that the user interrupted."""
    name = component.__name__
    made: Any = component
    config = component.config_type.model_validate(fields)
    executor = made(config)
    assert getattr(executor, "config", None) == config, f"{name}.__init__ must call super().__init__(config)"
    with tempfile.TemporaryDirectory() as text:
        words: list[Status] = ["finished", "failed", "finished"]
        jobs = _jobs(Path(text), words)
        found = list(executor.run(jobs))
        wrong = [each for each in found if not isinstance(each, Outcome)]
        assert not wrong, f"{name}.run must yield what the jobs return, an Outcome each, not {wrong[:1]}"
        names = sorted(each.name for each in found)
        wanted = [job.name for job in jobs]
        assert names == wanted, f"{name}.run must yield one outcome for each job: {wanted}, not {names}"
        statuses = {each.name: each.status for each in found}
        kept = statuses == dict(zip(wanted, words, strict=True))
        assert kept, f"{name}.run must pass on how each job ended, also that one failed: {statuses}"
        idle = [job.name for job in jobs if not (job.folder / _FILE).is_file()]
        assert not idle, (
            f"{name}.run must leave what a job writes in its folder; nothing is in that of {idle}"
        )
    with tempfile.TemporaryDirectory() as text:
        more: list[Status] = ["interrupted", "interrupted", *words * 10]
        jobs = _jobs(Path(text), more)
        found = list(made(config).run(jobs))
        last = found[-1].status if found else None
        assert last == "interrupted" or len(found) < len(jobs), (
            f"{name}.run must begin no job after one that was interrupted"
        )
        assert list(made(config).run([])) == [], f"{name}.run must end at once when there are no jobs"


def _jobs(folder: Path, words: Sequence[Status]) -> list[Job]:
    names = [f"{number:04d}" for number in range(1, len(words) + 1)]
    return [Job(name, folder / name, FakeWork(name, word)) for name, word in zip(names, words, strict=True)]
