"""Several runs at once, each in a process of this machine."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from pixforge.contracts import Config, Executor, Job, Outcome

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_PATIENCE = 60.0
"""Seconds that a run has to save after it was told to stop."""


class ProcessesConfig(Config):
    """How many processes, and what happens when one dies."""

    type: Literal["processes"] = "processes"
    workers: Annotated[int, Field(ge=1, le=256, strict=True)] = Field(
        2,
        description="Processes at a time. Each loads its own models, and gets its share of the processor's cores.",
    )
    retries: Annotated[int, Field(ge=0, le=100, strict=True)] = Field(
        1, description="How often a run whose process died goes on from its last checkpoint in a new one."
    )


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    job: Job


class ProcessesExecutor(Executor[ProcessesConfig]):
    """Several runs at once, each in a process of its own on this machine. A run whose process dies goes on in a new one."""

    @property
    def at_once(self) -> int:
        """One for each worker."""
        return self.config.workers

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Keep all workers busy; a worker is told to stop like a run of its own."""
        from multiprocessing.connection import wait

        waiting, tries = list(reversed(jobs)), dict.fromkeys((job.name for job in jobs), 0)
        workers: list[_Worker] = []
        try:
            while waiting or workers:
                while waiting and len(workers) < self.config.workers:
                    workers.append(self._begin(waiting.pop()))
                ready = wait([each.pipe for each in workers])
                for worker in [each for each in workers if each.pipe in ready]:
                    outcome = _received(worker)
                    if outcome is None:  # it died
                        workers.remove(worker)
                        tries[worker.job.name] += 1
                        if tries[worker.job.name] <= self.config.retries:
                            waiting.append(worker.job)
                            continue
                        outcome = _dead(worker)
                    elif waiting and outcome.status != "interrupted":
                        worker.job = waiting.pop()
                        worker.pipe.send(worker.job)
                    else:
                        _dismiss(worker)
                        workers.remove(worker)
                    yield outcome
                    if outcome.status == "interrupted":
                        return
        finally:
            _end(workers)

    def _begin(self, job: Job) -> _Worker:
        from multiprocessing import get_context

        ours, theirs = get_context("spawn").Pipe()
        threads = max(1, (os.cpu_count() or 1) // self.config.workers)
        process = get_context("spawn").Process(target=_serve, args=(theirs, threads), daemon=False)
        process.start()
        theirs.close()
        ours.send(job)
        return _Worker(process, ours, job)


def _serve(pipe: Any, threads: int) -> None:
    """A worker: jobs come in, outcomes go out, until None comes or the pipe ends."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()  # Ctrl-C reaches the parent alone, which passes it on once
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when torch is first imported, which is later
        os.environ.setdefault(name, str(threads))
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while (job := pipe.recv()) is not None:
            pipe.send(_done(job))


def _done(job: Job) -> Outcome:
    try:
        return job()
    except KeyboardInterrupt:
        return Outcome(job.name, "interrupted")


def _received(worker: _Worker) -> Outcome | None:
    try:
        outcome: Outcome = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join()
        worker.pipe.close()
        return None
    return outcome


def _dead(worker: _Worker) -> Outcome:
    code = worker.process.exitcode or 0
    how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
    return Outcome(worker.job.name, "failed", f"its process {how} (often because memory ran out)")


def _dismiss(worker: _Worker) -> None:
    with suppress(OSError):
        worker.pipe.send(None)
    worker.process.join(_PATIENCE)
    worker.pipe.close()


def _end(workers: list[_Worker]) -> None:
    """Let the runs in progress save; those that do not end in time are killed, and go on from their last checkpoint."""
    for worker in workers:
        if worker.process.pid is not None and worker.process.is_alive():
            with suppress(OSError):
                os.kill(worker.process.pid, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE
    for worker in workers:
        worker.pipe.close()
        worker.process.join(max(0.0, deadline - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
