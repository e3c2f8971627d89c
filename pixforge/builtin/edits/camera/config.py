"""What a recipe says of a camera."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from pixforge.contracts import EditConfig, Range, Schedule
from pixforge.contracts.paths import RecipePath
from pixforge.contracts.region import Length
from pixforge.media.color_names import parse_color

Share = Annotated[Schedule, Range(ge=-10, le=10)]
Turn = Annotated[Schedule, Range(ge=-3600, le=3600)]
"""Ten turns in a second: faster, every frame rate shows something else."""
Lean = Annotated[Schedule, Range(ge=-360, le=360)]


def _speed(description: str) -> Any:
    return Field(Schedule(0.0), description=description)


class CameraConfig(EditConfig):
    """How fast the picture moves, for each second of the film.

    From one frame to the next it zooms by 0.25 to 4, turns by at most 180 degrees, tilts and turns away by at most 45,
    shears by at most 1, and some of it stays in sight: a recipe whose camera does more is refused.
    """

    type: Literal["camera"] = "camera"
    zoom: Annotated[Schedule, Range(ge=0.01, le=100)] = Field(
        Schedule(1.0), description="Factor by which the picture grows: above 1 the camera flies into it."
    )
    pan_x: Share = _speed("To the right, as a share of the width.")
    pan_y: Share = _speed("Down, as a share of the height.")
    rotate: Turn = _speed("Degrees, clockwise.")
    shear: Share = _speed("How far the top goes to the right, as a share of half the height.")
    tilt: Lean = _speed("Degrees by which the top goes away, as when a picture on a table is seen.")
    turn: Lean = _speed("Degrees by which the right side goes away, as when a door opens.")
    flight: Annotated[Schedule, Range(ge=0, le=10)] = _speed(
        "Strength of a smooth random flight, beside what the fields above say: 1 is lively."
    )
    flight_seed: Annotated[int, Field(ge=0, strict=True)] = Field(
        0, description="Another number flies another way."
    )
    strength: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(1.0), description="Share of all moves; scenes fade it."
    )
    per: Literal["second", "frame"] = Field(
        "second", description="What speeds are for; frame: each time that it moves."
    )
    center: tuple[Length, Length] = Field(
        ("50%", "50%"),
        description="Of zoom, rotation, shear, tilt and turn, in pixels or percent from the top left.",
    )
    field_of_view: Annotated[float, Field(ge=1, le=150)] = Field(
        50.0,
        description="Degrees that the height of the picture fills, for tilt and turn: more is a closer look.",
    )
    depth: RecipePath | None = Field(
        None,
        description="A picture that says how near everything is, white nearest: zoom and pan become moves in space.",
    )
    depth_model: RecipePath | None = Field(
        None,
        description="The same by a network that looks at each frame: an ONNX file, such as MiDaS small; needs pixforge[video] (OpenCV).",
    )
    depth_side: Annotated[int, Field(ge=16, le=1024, strict=True)] = Field(
        256, description="Of the square of pixels that the file of depth_model takes."
    )
    relief: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.5),
        description="With depth: how much faster than the middle what is near moves, and slower what is far; 1: twice, and not at all.",
    )
    infill: Literal["mirror", "wrap", "border", "color"] = Field(
        "mirror", description="What comes in from outside; border: the outermost pixels, drawn out."
    )
    color: str = Field("gray", description="For infill: color, such as '#ff8800' or black.")

    @model_validator(mode="after")
    def _one_depth(self) -> Self:
        if self.depth is not None and self.depth_model is not None:
            raise ValueError("depth and depth_model both say how near everything is; leave one out")
        return self

    @field_validator("color")
    @classmethod
    def _is_color(cls, value: str) -> str:
        parse_color(value)
        return value
