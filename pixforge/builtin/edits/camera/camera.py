"""A camera that moves over the picture, and into it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from pixforge.builtin.curves.noise import NoiseConfig, NoiseCurve
from pixforge.contracts import Edit, EditConfig, Range, RunContext, Schedule
from pixforge.contracts.moment import FRAMES_PER_SECOND
from pixforge.contracts.paths import RecipePath
from pixforge.contracts.region import Length, pixels
from pixforge.errors import InputError
from pixforge.media.color_names import parse_color

if TYPE_CHECKING:
    import torch

    from pixforge.builtin.edits.camera.depth import DepthModel
    from pixforge.builtin.edits.camera.motion import Motion

_FLIGHT = {"zoom": 0.3, "pan_x": 0.15, "pan_y": 0.15, "rotate": 12.0}
"""How fast a flight of strength 1 may go each way: the logarithm of the zoom, shares of the sides, and degrees per second."""
_FLIGHT_SECONDS = "3s"
_LARGEST = {"pan_x": 1.0, "pan_y": 1.0, "shear": 1.0, "tilt": 45.0, "turn": 45.0}
"""What one frame may do; beyond, nothing of the picture would be left."""
_ZOOM = 4.0
Speed = Annotated[Schedule, Range(ge=-10_000, le=10_000)]


def _speed(description: str) -> Any:
    return Field(Schedule(0.0), description=description)


class CameraConfig(EditConfig):
    """How fast the picture moves, for each second of the film."""

    type: Literal["camera"] = "camera"
    zoom: Annotated[Schedule, Range(gt=0, le=1000)] = Field(
        Schedule(1.0), description="Factor by which the picture grows: above 1 the camera flies into it."
    )
    pan_x: Speed = _speed("To the right, as a share of the width.")
    pan_y: Speed = _speed("Down, as a share of the height.")
    rotate: Speed = _speed("Degrees, clockwise.")
    shear: Speed = _speed("How far the top goes to the right, as a share of half the height.")
    tilt: Speed = _speed("Degrees by which the top goes away, as when a picture on a table is seen.")
    turn: Speed = _speed("Degrees by which the right side goes away, as when a door opens.")
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


class Camera(Edit[CameraConfig]):
    """Zooms, pans, rotates, shears, tilts and turns the picture, all of it in one resampling for each frame.

    Speeds are for a second of the film (24 steps of a run without one), so that frame rate and steps may change without
    changing the motion.
    """

    def __init__(self, config: CameraConfig, context: RunContext) -> None:
        super().__init__(config, context)
        fps = FRAMES_PER_SECOND if context.film is None else context.film.fps
        self._seconds = config.every / fps if config.per == "second" else 1.0
        self._center = (
            pixels(config.center[0], context.width) / context.width,
            pixels(config.center[1], context.height) / context.height,
        )
        self._noise = [
            NoiseCurve(
                NoiseConfig(noise="smooth", period=_FLIGHT_SECONDS, low=-speed, high=speed, seed=seed), Path()
            )
            for seed, speed in enumerate(_FLIGHT.values(), 4 * config.flight_seed)
        ]
        self._depth: torch.Tensor | None = None
        if config.depth is not None:
            self._depth = context.read_mask(config.depth, context.size).unsqueeze(0)
        self._model: DepthModel | None = None
        if config.depth_model is not None:
            from pixforge.builtin.edits.camera.depth import DepthModel

            self._model = DepthModel(context.folder / config.depth_model, config.depth_side)
        self._check()

    def forward(self, images: torch.Tensor, step: int) -> torch.Tensor:
        """The picture moved by the homography of this frame."""
        import torch

        from pixforge.builtin.edits.camera.resample import moved

        color = None
        if self.config.infill == "color":
            opaque = [1.0] * (images.shape[1] - 3)
            color = torch.tensor([*parse_color(self.config.color), *opaque])
        if self._model is not None:
            return self._in_space(images, self._model(images), step, color)[0]
        if self._depth is not None:
            picture, self._depth = self._in_space(images, self._depth, step, color)
            return picture
        return moved(images, self._matrix(step), self.config.infill, color)

    def warp(self, step: int) -> torch.Tensor | None:
        """The homography of this frame; None with depth, where it is more than one."""
        flat = self._depth is None and self._model is None
        return None if not flat else self._matrix(step).float()

    def state(self) -> dict[str, torch.Tensor]:
        """How near everything is by now."""
        return {} if self._depth is None else {"depth": self._depth}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take it over."""
        if self._depth is not None and "depth" in state:
            self._depth = state["depth"].to(self.context.device)

    def _in_space(
        self, images: torch.Tensor, depth: torch.Tensor, step: int, color: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The picture and its depth, each point moved as its nearness says."""
        from pixforge.builtin.edits.camera.resample import moved_in_space

        motion = self._motion(step)
        turned = replace(motion, zoom=1.0, pan_x=0.0, pan_y=0.0)
        matrices = self._homography(motion), self._homography(turned)
        relief = self.context.value(self.config.relief, step)
        return moved_in_space(images, depth, matrices, relief, self.config.infill, color)

    def _matrix(self, step: int) -> torch.Tensor:
        return self._homography(self._motion(step))

    def _homography(self, motion: Motion) -> torch.Tensor:
        from pixforge.builtin.edits.camera.motion import homography

        return homography(motion, self.context.size, self._center, self.config.field_of_view)

    def _motion(self, step: int) -> Motion:
        from pixforge.builtin.edits.camera.motion import Motion

        config, value = self.config, self.context.value
        speeds = {name: value(getattr(config, name), step) for name in (*_LARGEST, "rotate")}
        zoom = math.log(value(config.zoom, step))
        if flight := value(config.flight, step):
            moment = self.context.moment(step)
            drift = {name: flight * each.at(moment) for name, each in zip(_FLIGHT, self._noise, strict=True)}
            zoom += drift.pop("zoom")
            speeds = {name: speed + drift.get(name, 0.0) for name, speed in speeds.items()}
        share = self._seconds * value(config.strength, step)
        return Motion(zoom=math.exp(zoom * share), **{name: speed * share for name, speed in speeds.items()})

    def _check(self) -> None:
        """See that no frame loses the picture.

        Raises:
            InputError: names the field.
        """
        for name, largest in _LARGEST.items():
            fastest = max((abs(each) for each in getattr(self.config, name).values), default=0.0)
            if fastest * self._seconds > largest:
                text = f"{fastest:g} is {fastest * self._seconds:g} from one frame to the next; at most {largest:g}"
                raise InputError(f"edits: camera: {name}: {text}, else the picture leaves itself")
        for each in self.config.zoom.values:
            if abs(math.log(each)) * self._seconds > math.log(_ZOOM):
                factor = each**self._seconds
                text = f"{each:g} is a factor of {factor:g} from one frame to the next; at most {_ZOOM:g}, at least 0.25"
                raise InputError(f"edits: camera: zoom: {text}")
