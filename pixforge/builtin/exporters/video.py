"""The progress video: how the picture came to be, in a given number of seconds."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.builtin.exporters.encoder import Encoder
from pixforge.builtin.exporters.formats import EXTENSIONS, STREAMED, finish, is_even, pieces_of
from pixforge.builtin.exporters.metadata import Metadata
from pixforge.builtin.exporters.position import Position, begins_with, pack, unpack
from pixforge.builtin.exporters.recording import Recording
from pixforge.builtin.exporters.sheet import sheet
from pixforge.contracts import Config, Exporter, Output, StepReport
from pixforge.contracts.files import part_of, publish

if TYPE_CHECKING:
    import torch

_FPS = (10.0, 30.0)
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


_HELD = 0.75
"""The largest part of the video that the holds get between them."""


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


class Video(Exporter[VideoConfig]):
    """Streams the pictures into an MP4, WebM, GIF, APNG or WebP of a given length.

    An MP4 or WebM plays while it is written and after a kill. The others are recorded as MP4 and converted at the end.
    Several canvases share one video, side by side. Frames are the same whether the run stopped on the way or not.
    """

    def __init__(self, config: VideoConfig, output: Output) -> None:
        super().__init__(config, output)
        self._plan(output.first_step)
        self._last: StepReport | None = None
        self._encoder: Encoder | None = None
        self._recording: Recording | None = None
        self._whole: dict[str, torch.Tensor] = {}

    def write(self, report: StepReport) -> None:
        """Give the picture as many frames as its step has, maybe none."""
        self._last = report
        self._show(report, self._frames.pop(report.step, 0))

    def close(self) -> None:
        """Hold the last picture when the run ended early, and finish the file; what going on needs stays beside it."""
        if self._last is None or self._whole:
            return
        early = self._last.step < self.output.steps
        if early:
            self._show(self._last, self._held)
        if self._encoder is None or self._recording is None:
            return
        self._encoder.close()
        source = self._keep_recording() if early else self._growing
        recipe = self.output.recipe if self.config.metadata == "recipe" else None
        finish(self.config.format, source, self._path, recipe, self._quality)
        if not early:
            self._rest.unlink(missing_ok=True)

    def state(self) -> dict[str, torch.Tensor]:
        """Where the recording is, and the frames of its unfinished segment."""
        if self._encoder is None or self._recording is None:
            return self._whole
        return pack(self._encoder.position(), self._recording.header)

    def resume(self, state: Mapping[str, torch.Tensor], report: StepReport) -> None:
        """Cut the recording back to the checkpoint and go on; without a state, a new video begins here."""
        if not state or not self._continue(state, report):
            self._set_old_aside(report.step)
            self._plan(report.step)
            self.write(report)

    def files(self) -> list[str]:
        """The video, and the recording of one that ended early."""
        return [self._path.name, *([self._rest.name] if self._rest.exists() else [])]

    def _plan(self, start: int) -> None:
        plan = frame_plan(self.config, self.output.steps, start)
        self._rate = frame_rate(self.config, self.output.steps - start)
        self._frames = Counter(plan)
        self._held = self._frames[self.output.steps] if self.output.steps > start else 1

    def _continue(self, state: Mapping[str, torch.Tensor], report: StepReport) -> bool:
        """Take the recording up again; False when it is not there any more."""
        shape = sheet(report.pixels, even=is_even(self.config.format)).shape
        position, header = unpack(state, shape, self._frames.total())
        self._last = report
        for step in [step for step in self._frames if step <= report.step]:
            del self._frames[step]
        found = self._rest if self._rest.exists() else self._path
        if not position.offset:  # the first segment is made anew
            self._start(Recording(self._growing), position)
        elif begins_with(found, header, position.offset):
            if found != self._growing:
                found.replace(self._growing)
            self._start(Recording(self._growing, header, position.offset), position)
        else:
            # A recording is only taken away when the whole video is there.
            there = found == self._path and self._path.exists()
            if there:
                self._whole = dict(state)
                self._frames.clear()
            return there
        return True

    def _set_old_aside(self, step: int) -> None:
        for path in (self._path, self._rest):
            if path.exists():
                path.replace(path.with_name(f"{path.stem}-until-step-{step:05d}{path.suffix}"))

    @property
    def _path(self) -> Path:
        return self.output.path(f"{self.config.name}.{EXTENSIONS[self.config.format]}")

    @property
    def _rest(self) -> Path:
        """The recording, where it is not the video itself."""
        return self.output.path(f"{self.config.name}.recording.{pieces_of(self.config.format)}")

    @property
    def _growing(self) -> Path:
        return self._path if self.config.format in STREAMED else self._rest

    @property
    def _quality(self) -> int:
        return self.config.quality or 80

    def _show(self, report: StepReport, frames: int) -> None:
        if frames:
            if self._encoder is None:
                self._start(Recording(self._growing))
            assert self._encoder is not None
            self._encoder.write(report, frames)

    def _start(self, recording: Recording, begin: Position | None = None) -> None:
        self._recording = recording
        self._encoder = Encoder(
            self._path.name, self.config.format, self._rate, self._quality, recording, begin
        )

    def _keep_recording(self) -> Path:
        """Where the recording is going to stay when the video that ended early is put in its place."""
        if self._growing != self._rest:
            part = part_of(self._rest)
            shutil.copyfile(self._growing, part)
            publish(part, self._rest)
        return self._rest
