"""What a video is asked to be, and which step each of its frames shows."""

from __future__ import annotations

from math import ceil, floor
from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.builtin.exporters.metadata import Metadata
from pixforge.contracts import Config

_FPS = (10.0, 30.0)
_GIF_FPS = 20.0
_GIF_FASTEST = 50.0
_HELD = 0.75
"""The largest part of the video that the holds get between them."""


class VideoConfig(Config):
    """A video of the run."""

    type: Literal["video"] = "video"
    format: Literal["mp4", "webm", "gif", "apng", "webp"] = Field(
        "mp4", description="Of the file; mp4 plays anywhere."
    )
    seconds: float = Field(8.0, gt=0, le=3600, description="Length, whatever the number of steps.")
    fps: float | None = Field(
        None,
        ge=1,
        le=120,
        description="Frames per second; when absent as many as there are steps to show, from 10 to 30 (gif: 20).",
    )
    hold_first: float = Field(
        0.5, ge=0, le=3600, description="Seconds that the start stays, within `seconds`."
    )
    hold_last: float = Field(
        1.5, ge=0, le=3600, description="Seconds that the result stays, within `seconds`."
    )
    quality: int | None = Field(None, ge=1, le=100, description="Of mp4, webm and webp, 80 when absent.")
    metadata: Metadata = Field("recipe", description="Put the resolved recipe into the file, or none of it.")
    name: str = Field(
        "progress", pattern=r"^\w[\w.-]{0,99}$", description="Of the file, without its extension."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.quality is not None and self.format in {"gif", "apng"}:
            raise ValueError(f"{self.format} has no quality; leave it out, or choose mp4, webm or webp")
        if self.format == "gif" and self.fps and self.fps > _GIF_FASTEST:
            raise ValueError(
                f"a gif has at most {_GIF_FASTEST:g} frames per second, so fps: {self.fps:g} cannot be met"
            )
        return self


def frame_rate(config: VideoConfig, steps: int) -> float:
    """Frames per second for a run of so many steps: more than one frame for a step would cost and show nothing."""
    if config.fps:
        return config.fps
    walk = max(config.seconds - config.hold_first - config.hold_last, (1 - _HELD) * config.seconds)
    slowest, fastest = _FPS
    return min(max(slowest, ceil(steps / walk)), _GIF_FPS if config.format == "gif" else fastest)


def frame_plan(config: VideoConfig, steps: int, start: int = 0) -> list[int]:
    """Which step each frame shows: `start` held, an even walk through the steps, the result held."""
    rate = frame_rate(config, steps - start)
    total = max(1, round(config.seconds * rate))
    first, last = config.hold_first * rate, config.hold_last * rate
    shrink = min(1.0, _HELD * total / max(first + last, 1e-9))
    before, after = max(1, floor(first * shrink + 1e-6)), max(1, floor(last * shrink + 1e-6))
    between = total - before - after
    if between < 0:  # one or two frames in all
        return [start, steps][-total:]
    walk = [start + round((frame + 1) * (steps - start) / (between + 1)) for frame in range(between)]
    return [start] * before + walk + [steps] * after
