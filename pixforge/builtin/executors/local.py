"""One run after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pixforge.contracts import Config, Executor, Job, Outcome


class LocalConfig(Config):
    """It has nothing to say."""

    type: Literal["local"] = "local"


class LocalExecutor(Executor[LocalConfig]):
    """One run after the other in this process: models are loaded once.

    Runs that differ in the seed alone are not packed into one batch of canvases: the pictures would not be the very same.
    """

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Do one after the other, until one is interrupted."""
        for job in jobs:
            outcome = job()
            yield outcome
            if outcome.status == "interrupted":
                return
