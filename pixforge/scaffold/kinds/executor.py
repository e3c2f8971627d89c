"""An executor for pixforge: the runs of a sweep with a rest after each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

import pixforge


class PlaceholderConfig(pixforge.Config):
    """What a sweep's file may say: `executor: {type: placeholder, rest: 10}`."""

    type: Literal["placeholder"] = "placeholder"
    rest: float = Field(
        0.0, ge=0, le=3600, description="Seconds after each run, in which the machine cools down."
    )


class Placeholder(pixforge.Executor[PlaceholderConfig]):
    """One run after the other, with a rest after each."""

    def run(self, jobs: Sequence[pixforge.Job]) -> Iterator[pixforge.Outcome]:
        """Call each job, here or elsewhere: jobs can be pickled. Pass on how it ended, and stop where the user wished."""
        for job in jobs:
            outcome = job()
            yield outcome
            if outcome.status == "interrupted":
                return
            time.sleep(self.config.rest)


@pixforge.hookimpl
def pixforge_executors() -> list[type[pixforge.Executor[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
