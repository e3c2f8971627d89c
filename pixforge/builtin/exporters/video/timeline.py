"""What a video is asked to be, and which step each of its frames shows."""

from __future__ import annotations

from math import ceil, floor
from typing import Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from pixforge.builtin.exporters.metadata import Metadata
from pixforge.builtin.exporters.video.caption import check_template
from pixforge.builtin.exporters.video.sites import Site
from pixforge.contracts import Config
from pixforge.contracts.paths import FileName

_FPS = (10.0, 30.0)
_GIF_FPS = 20.0
_GIF_FASTEST = 50.0
MOST_FPS = {"gif": _GIF_FASTEST}
"""Of formats that limit them."""
_HELD = 0.75
"""The largest part of the video that the holds get between them, unless the recipe says how long they are."""
_FIRST, _LAST = 0.5, 1.5
"""Seconds of the holds when the recipe does not say."""


class Streamed(Config):
    """What videos have in common."""

    format: Literal["mp4", "webm", "gif", "apng", "webp"] = Field(
        "mp4", description="Of the file; mp4 plays anywhere."
    )
    quality: int | None = Field(None, ge=1, le=100, description="Of mp4, webm and webp, 80 when absent.")
    metadata: Metadata = Field("recipe", description="Put the resolved recipe into the file, or none of it.")
    name: FileName = Field("video", description="Of the file, without its extension.")

    caption: str = Field(
        "",
        max_length=200,
        description="Words below the picture, such as '{prompt}, step {step}, seed {seed}'; also {prompts}, {steps}, {second} and {frame}.",
    )
    order: Literal["forward", "reverse", "boomerang"] = Field(
        "forward", description="In which it plays; boomerang: forward, then back. Made when the run ends."
    )
    loss_curve: bool = Field(
        default=False,
        strict=True,
        description="Draw the loss until then as a curve to the right of the picture.",
    )
    interpolate: int = Field(
        1,
        ge=1,
        le=8,
        strict=True,
        description="Frames for each one that was made: 2 doubles the frame rate with frames in between that follow what moves. Made when the run ends.",
    )
    deflicker: bool = Field(
        default=False,
        strict=True,
        description="Even out brightness that jumps, over five frames. Made when the run ends.",
    )
    transparent: bool = Field(
        default=False,
        strict=True,
        description="Keep the alpha channel of a webm, where white stands for it otherwise; apng and webp always keep it. Made when the run ends.",
    )
    site: Site | None = Field(
        None, description="Gives mp4 the size and the rate that a site wants, with black bars where needed."
    )

    @field_validator("caption")
    @classmethod
    def _known_words(cls, value: str) -> str:
        return check_template(value)

    @model_validator(mode="after")
    def _fits_the_site(self) -> Self:
        if self.site is not None and self.format != "mp4":
            raise ValueError(f"{self.site} wants mp4, not {self.format}")
        return self

    @model_validator(mode="after")
    def _can_be_clear(self) -> Self:
        if self.transparent and self.format != "webm":
            raise ValueError(
                f"transparent is for webm, not {self.format}; apng and webp keep transparency anyway"
            )
        if self.transparent and (self.caption or self.loss_curve or self.deflicker or self.interpolate > 1):
            raise ValueError(
                "transparent goes without caption, loss_curve, deflicker and interpolate, which know no transparency"
            )
        return self

    @model_validator(mode="after")
    def _has_quality(self) -> Self:
        if self.quality is not None and self.format in {"gif", "apng"}:
            raise ValueError(f"{self.format} has no quality; leave it out, or choose mp4, webm or webp")
        return self


class VideoConfig(Streamed):
    """A video of the run."""

    type: Literal["video"] = "video"
    seconds: float = Field(
        8.0,
        gt=0,
        le=3600,
        description="Length of the whole run's video, whatever the number of steps; of a run that ends early, less.",
    )
    fps: float | None = Field(
        None,
        ge=1,
        le=120,
        description="Frames per second; when absent as many as there are steps to show, from 10 to 30 (gif: 20).",
    )
    hold_first: float | None = Field(
        None,
        ge=0,
        le=3600,
        description="Seconds that the start stays, within `seconds`; 0.5 when absent, less in a short video.",
    )
    hold_last: float | None = Field(
        None,
        ge=0,
        le=3600,
        description="Seconds that the result stays, within `seconds`; 1.5 when absent, less in a short video.",
    )
    name: FileName = Field("progress", description="Of the file, without its extension.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        held = (self.hold_first or 0) + (self.hold_last or 0)
        if held > 0 and held >= self.seconds:
            raise ValueError(
                f"hold_first and hold_last take {held:g} of {self.seconds:g} seconds, which leaves nothing for the way "
                "between; make them shorter, or `seconds` longer"
            )
        if self.format == "gif" and self.fps and self.fps > _GIF_FASTEST:
            raise ValueError(
                f"a gif has at most {_GIF_FASTEST:g} frames per second, so fps: {self.fps:g} cannot be met"
            )
        return self


def holds(config: VideoConfig) -> tuple[float, float]:
    """For how many seconds the start and the result stay. What the recipe says is kept, the rest shrinks to fit."""
    said = (config.hold_first or 0) + (config.hold_last or 0)
    usual = (_FIRST if config.hold_first is None else 0) + (_LAST if config.hold_last is None else 0)
    share = min(1.0, max(0.0, _HELD * config.seconds - said) / usual) if usual else 1.0
    first = _FIRST * share if config.hold_first is None else config.hold_first
    last = _LAST * share if config.hold_last is None else config.hold_last
    return first, last


def frame_rate(config: VideoConfig, steps: int) -> float:
    """Frames per second for a run of so many steps: more than one frame for a step would cost and show nothing."""
    if config.fps:
        return config.fps
    walk = config.seconds - sum(holds(config))
    slowest, fastest = _FPS
    return min(max(slowest, ceil(steps / walk)), _GIF_FPS if config.format == "gif" else fastest)


def frame_plan(config: VideoConfig, steps: int, start: int = 0) -> list[int]:
    """Which step each frame shows: `start` held, an even walk through the steps, the result held."""
    rate = frame_rate(config, steps - start)
    total = max(1, round(config.seconds * rate))
    before, after = (max(1, floor(hold * rate + 1e-6)) for hold in holds(config))
    if total <= 2:
        return [start, steps][-total:]
    between = max(0, total - before - after)
    before = total - between - after
    walk = [start + round((frame + 1) * (steps - start) / (between + 1)) for frame in range(between)]
    return [start] * before + walk + [steps] * after
