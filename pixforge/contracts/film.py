"""Films: which steps make which frame."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.contracts.config import Config
from pixforge.contracts.moment import FRAMES_PER_SECOND, Moment


class Film(Config):
    """How a run becomes a film. A frame is the picture after all its steps; edits happen between two frames."""

    fps: Annotated[float, Field(ge=1, le=120)] = Field(FRAMES_PER_SECOND, description="Frames per second.")
    steps_per_frame: Annotated[int, Field(ge=1, le=10_000, strict=True)] = Field(
        4, description="Updates of the picture for each frame."
    )
    first_frame_steps: Annotated[int, Field(ge=1, le=100_000, strict=True)] = Field(
        40, description="The same for the first frame, which has to begin from nothing."
    )

    lead_in: Annotated[int, Field(ge=0, le=1000, strict=True)] = Field(
        0,
        description="Frames before the first one that nobody sees: edits act within `first_frame_steps`, too, so that the film "
        "begins in motion. `loop: true` sets it when absent.",
    )

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        needed = (self.lead_in + 1) * self.steps_per_frame
        if self.lead_in and needed >= self.first_frame_steps:
            raise ValueError(
                f"lead_in: {self.lead_in} frames of {self.steps_per_frame} steps do not go into first_frame_steps: "
                f"{self.first_frame_steps}; it needs more than {needed}"
            )
        return self

    def begin(self, frame: int) -> int:
        """The number of updates before the first one that makes a frame; frames count from 0."""
        return 0 if frame == 0 else self.end(frame - 1)

    def end(self, frame: int) -> int:
        """The number of updates after which a frame is done."""
        return self.first_frame_steps + frame * self.steps_per_frame

    def frame(self, step: int) -> int | None:
        """The frame that is done after so many updates, None when none is."""
        after = step - self.first_frame_steps
        return None if after < 0 or after % self.steps_per_frame else after // self.steps_per_frame

    def boundary(self, step: int) -> int | None:
        """As `frame`, but those of the lead-in count too: -1 is the one before the first."""
        after = step - self.first_frame_steps
        frame = None if after % self.steps_per_frame else after // self.steps_per_frame
        first = -1 - self.lead_in if self.lead_in else 0
        return None if frame is None or frame < first else frame

    def making(self, step: int) -> int:
        """The frame that the step after so many updates makes."""
        return (
            0
            if step < self.first_frame_steps
            else (step - self.first_frame_steps) // self.steps_per_frame + 1
        )

    def count(self, steps: int) -> int:
        """How many frames a run of so many steps has."""
        return max(0, (steps - self.first_frame_steps) // self.steps_per_frame + 1)


def moment_of(film: Film | None, step: float, steps: int) -> Moment:
    """When a step of a run of `steps` steps is; None stands for a run without a film."""
    if film is None:
        return Moment(step, steps)
    return Moment(step, steps, film.fps, film.steps_per_frame, film.first_frame_steps)
