"""When something is, and how long it takes: steps, shares of a run, seconds of a film."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

FRAMES_PER_SECOND = 24.0
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(s|%)")


@dataclass(frozen=True)
class Moment:
    """A moment of a run: `step` of `steps`.

    A second is `fps` frames, and a frame is `steps_per_frame` steps. A run without a film counts every step as a frame.
    In a film, the first frame is done after `first` steps, and the frames count from there.
    """

    step: float
    steps: int
    fps: float = FRAMES_PER_SECOND
    steps_per_frame: int = 1
    first: int = 0

    @property
    def share(self) -> float:
        """Of the run, from 0 to 1; 1 is the last step."""
        return self.step / max(self.steps - 1, 1)

    @property
    def frame(self) -> float:
        """The number of the frame, from 0."""
        return max(0.0, (self.step - self.first) / self.steps_per_frame)

    @property
    def second(self) -> float:
        """Of the film."""
        return self.frame / self.fps


def check_span(value: Any) -> Any:
    """The value, if it is a span.

    Raises:
        PydanticCustomError: it is none.
    """
    if isinstance(value, str):
        match = _SPAN.fullmatch(value.strip())
        if match and float(match[1]) > 0:
            return value.strip()
    elif isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return value
    raise PydanticCustomError(
        "span", "a span is a number of steps, a share of the run such as 25%, or seconds such as 2s"
    )


Span = Annotated[
    float | str,
    BeforeValidator(check_span),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^\d+(\.\d+)?\s*(s|%)$"},
            ]
        }
    ),
]
"""How long something takes: steps, `25%` of the run, or `2s` of the film."""


def spans(span: float | str, moment: Moment) -> float:
    """How many spans have passed at a moment."""
    if not isinstance(span, str):
        return moment.step / span
    length = float(span.rstrip("s% "))
    return moment.second / length if span.endswith("s") else moment.share / (length / 100)
