"""An example of a plugin in one file: an executor. `plugins: [shuffled.py]` in the recipe, `--on shuffled` for the sweep."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

import pixforge


class ShuffledConfig(pixforge.Config):
    """The draw."""

    type: Literal["shuffled"] = "shuffled"
    draw: int = Field(0, ge=0, description="Another number gives another order.")


class Shuffled(pixforge.Executor[ShuffledConfig]):
    """One run after the other in a random order, so that the first ones already tell about all settings."""

    def run(self, jobs: Sequence[pixforge.Job]) -> Iterator[pixforge.Outcome]:
        """Do them in that order, until one is interrupted."""
        chance = random.Random(self.config.draw)  # noqa: S311 - an order, no secret
        for job in chance.sample(list(jobs), len(jobs)):
            outcome = job()
            yield outcome
            if outcome.status == "interrupted":
                return


@pixforge.hookimpl
def pixforge_executors() -> list[type[pixforge.Executor[Any]]]:
    """The list that makes it known."""
    return [Shuffled]
