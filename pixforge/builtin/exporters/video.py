"""The progress video: how the picture came to be, in a given number of seconds."""

from __future__ import annotations

from collections import Counter
from math import floor
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.builtin.exporters.encoder import Encoder
from pixforge.builtin.exporters.formats import EXTENSIONS, STREAMED, finish, recording_arguments
from pixforge.contracts import Config, Exporter, Output, StepReport

_FPS = 30.0
_GIF_FPS = 20.0
_GIF_FASTEST = 50.0


class VideoConfig(Config):
    """A video of the run."""

    type: Literal["video"] = "video"
    format: Literal["mp4", "webm", "gif", "apng", "webp"] = Field(
        "mp4", description="Of the file; mp4 plays anywhere."
    )
    seconds: float = Field(8.0, gt=0, le=3600, description="Length, whatever the number of steps.")
    fps: float | None = Field(
        None, ge=1, le=120, description="Frames per second; 30 when absent, for gif 20."
    )
    hold_first: float = Field(
        0.5, ge=0, le=3600, description="Seconds that the start stays, within `seconds`."
    )
    hold_last: float = Field(
        1.5, ge=0, le=3600, description="Seconds that the result stays, within `seconds`."
    )
    quality: int | None = Field(None, ge=1, le=100, description="Of mp4, webm and webp, 80 when absent.")
    name: str = Field(
        "progress", pattern=r"^\w[\w.-]{0,99}$", description="Of the file, without its extension."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.quality is not None and self.format in {"gif", "apng"}:
            raise ValueError(f"{self.format} has no quality; leave it out, or choose mp4, webm or webp")
        if self.format == "gif" and self.rate > _GIF_FASTEST:
            raise ValueError(
                f"a gif has at most {_GIF_FASTEST:g} frames per second, so fps: {self.rate:g} cannot be met"
            )
        return self

    @property
    def rate(self) -> float:
        """Frames per second."""
        return self.fps or (_GIF_FPS if self.format == "gif" else _FPS)


def frame_plan(config: VideoConfig, steps: int) -> list[int]:
    """Which step each frame shows: the start held, an even walk through the steps, the result held.

    The holds get at most three quarters of the video between them.
    """
    total = max(1, round(config.seconds * config.rate))
    first, last = config.hold_first * config.rate, config.hold_last * config.rate
    shrink = min(1.0, 0.75 * total / max(first + last, 1e-9))
    before, after = max(1, floor(first * shrink + 1e-6)), max(1, floor(last * shrink + 1e-6))
    between = total - before - after
    if between < 0:  # one or two frames in all
        return [0, steps][-total:]
    walk = [round((frame + 1) * steps / (between + 1)) for frame in range(between)]
    return [0] * before + walk + [steps] * after


class Video(Exporter[VideoConfig]):
    """Streams the pictures into an MP4, WebM, GIF, APNG or WebP of a given length.

    An MP4 or WebM plays while it is written and after a kill. The others are recorded as MP4 and converted at the end.
    Several canvases share one video, side by side.
    """

    def __init__(self, config: VideoConfig, output: Output) -> None:
        super().__init__(config, output)
        plan = frame_plan(config, output.steps)
        self._frames = Counter(plan)
        self._held = self._frames[output.steps] if output.steps else 1
        self._last: StepReport | None = None
        self._encoder: Encoder | None = None

    def write(self, report: StepReport) -> None:
        """Give the picture as many frames as its step has, maybe none."""
        self._last = report
        self._show(report, self._frames.pop(report.step, 0))

    def close(self) -> None:
        """Hold the last picture when the run ended early, and finish the file."""
        if self._last is None:
            return
        if self._last.step < self.output.steps:
            self._show(self._last, self._held)
        if self._encoder is not None:
            self._encoder.close()
            finish(self.config.format, self._recording, self._path, self.output.recipe, self._quality)

    def files(self) -> list[str]:
        """The video."""
        return [self._path.name]

    @property
    def _path(self) -> Path:
        return self.output.path(f"{self.config.name}.{EXTENSIONS[self.config.format]}")

    @property
    def _recording(self) -> Path:
        if self.config.format in STREAMED:
            return self._path
        return self.output.path(f"{self.config.name}.recording.mp4")

    @property
    def _quality(self) -> int:
        return self.config.quality or 80

    def _show(self, report: StepReport, frames: int) -> None:
        if frames:
            if self._encoder is None:
                arguments = recording_arguments(self.config.format, self.config.rate, self._quality)
                even = self.config.format in STREAMED
                self._encoder = Encoder(
                    self._path.name, self.config.rate, [*arguments, str(self._recording)], even=even
                )
            self._encoder.write(report, frames)
