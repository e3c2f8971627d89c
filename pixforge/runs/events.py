"""What a run tells while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

    from pixforge.contracts import StepReport
    from pixforge.recipe import Recipe
    from pixforge.runs.result import Result


@dataclass(frozen=True)
class Started:
    """Everything is built and the folder is made. `step` is where the run goes on from, 0 for a new one."""

    recipe: Recipe = field(repr=False)
    folder: Path
    steps: int
    step: int = 0


@dataclass(frozen=True)
class Step:
    """A step is done; step 0 is the picture before the first update.

    `report.image` is on the run's device, and `report.losses` waits for it: to read them in each step slows a run down.
    """

    report: StepReport = field(repr=False)

    @property
    def step(self) -> int:
        """The number of updates so far."""
        return self.report.step


@dataclass(frozen=True)
class Frame:
    """A frame of a film is done, the first has the number 0; it comes after the `Step` of its last step."""

    number: int
    report: StepReport = field(repr=False)

    @property
    def step(self) -> int:
        """The number of updates so far."""
        return self.report.step


@dataclass(frozen=True)
class Preview:
    """The picture after a step, one for each canvas; as often as `start` was asked for.

    One of step 0 may come before `Started`: what the init has to show while the start is still being made.
    """

    step: int
    images: list[Image] = field(repr=False)


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written, from which the run can be resumed."""

    step: int
    path: Path


@dataclass(frozen=True)
class Looked:
    """What the perceptors see of the first canvas, since `Run.look` asked: the step's cutouts by their size in pixels."""

    step: int
    cutouts: dict[int, list[Image]] = field(repr=False)


@dataclass(frozen=True)
class Changed:
    """The run goes on with other values, each as `path: old -> new`."""

    step: int
    changes: list[str]


@dataclass(frozen=True)
class Warned:
    """Something that the run, or a component of it, wants people to know; it was logged too."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The run is over and all is saved; the last event. `result.interrupted` says whether someone stopped it."""

    result: Result


__all__ = ["Changed", "Event", "Finished", "Frame", "Looked", "Preview", "Saved", "Started", "Step", "Warned"]

Event = Started | Step | Frame | Preview | Saved | Looked | Changed | Warned | Finished
