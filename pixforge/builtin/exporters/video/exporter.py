"""Videos that are written while the run goes on; the progress video shows how the picture came to be."""

from __future__ import annotations

import logging
import shutil
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pixforge.builtin.exporters.video.caption import Captions
from pixforge.builtin.exporters.video.curve import LossCurve
from pixforge.builtin.exporters.video.encoder import Encoder
from pixforge.builtin.exporters.video.formats import (
    EXTENSIONS,
    Afterwards,
    Soundtrack,
    finish,
    frame_of,
    pieces_of,
    recorded_as,
)
from pixforge.builtin.exporters.video.position import (
    Position,
    begins_with,
    pack,
    pack_origin,
    unpack,
    unpack_origin,
)
from pixforge.builtin.exporters.video.recording import Recording
from pixforge.builtin.exporters.video.timeline import MOST_FPS, Streamed, VideoConfig, frame_plan, frame_rate
from pixforge.contracts import Exporter, Output, StepReport
from pixforge.contracts.alpha import has_alpha
from pixforge.contracts.files import part_of, publish
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

    from pixforge.builtin.exporters.video.caption import Frame

S = TypeVar("S", bound=Streamed)
log = logging.getLogger(__name__)
_MOST_FPS = 120.0
_MOST_BYTES = 2 * 2**30
_MANY = 5
"""With more frames for each step, a rate that the recipe names is worth a warning."""


class Recorder(Exporter[S]):
    """Streams pictures into a video; which step has how many frames is said by `_plan`.

    An MP4 or WebM plays while it is written and after a kill. The others are recorded as MP4 and converted at the end.
    Several canvases share one video, side by side. Frames are the same whether the run stopped on the way or not.
    """

    _rate: float
    """Frames per second."""
    _frames: Counter[int]
    """How many frames each step has."""
    _held: int
    """How many frames the last picture of a run that ended early has."""

    def __init__(self, config: S, output: Output) -> None:
        super().__init__(config, output)
        self._began = output.first_step
        self._plan(self._began)
        self._check_rate()
        self._check_memory()
        self._captions = Captions(config.caption, output) if config.caption else None
        self._curve = LossCurve(output) if config.loss_curve else None
        self._last: StepReport | None = None
        self._encoder: Encoder | None = None
        self._recording: Recording | None = None
        self._whole: dict[str, torch.Tensor] = {}
        self._shape: tuple[int, ...] = ()

    @classmethod
    def claims(cls, config: S, canvases: int) -> list[str]:  # noqa: ARG003 - they share it
        """The video and its recording, and what is set aside of both when a run goes on without its recording."""
        names = [_name(config), _recording_name(config)]
        return names + [_aside(name, "*") for name in names]

    def write(self, report: StepReport) -> None:
        """Give the picture as many frames as its step has, maybe none."""
        self._last = report
        if self._curve is not None:
            self._curve.add(report)
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
        finish(
            self.config.format,
            source,
            self._path,
            recipe,
            self._quality,
            clear=has_alpha(self._last.image) and not self._is_opaque,
            sound=self._sound(),
            afterwards=_afterwards(self.config),
            site=self.config.site,
            fps=self._rate,
        )
        if not early:
            self._rest.unlink(missing_ok=True)

    def state(self) -> dict[str, torch.Tensor]:
        """Where the recording is, and the frames of its unfinished segment."""
        if self._encoder is None or self._recording is None:
            return self._whole
        packed = pack(self._encoder.position(), self._recording.header)
        packed |= pack_origin(self._began, self._kind)
        return packed if self._curve is None else {**packed, **self._curve.state()}

    def resume(self, state: Mapping[str, torch.Tensor], report: StepReport) -> None:
        """Cut the recording back to the checkpoint and go on.

        A new video begins here without a state, or when frames are of another size or rate, say, since a run has been
        changed on its way.
        """
        if not state or not self._continue(state, report):
            self._set_old_aside(report.step)
            self._began = report.step
            self._plan(self._began)
            self.write(report)

    def files(self) -> list[str]:
        """The video, and the recording of one that ended early."""
        return [self._path.name, *([self._rest.name] if self._rest.exists() else [])]

    @abstractmethod
    def _plan(self, start: int) -> None:
        """Set the rate and the frames for a record that begins at a step."""

    def _sound(self) -> Soundtrack | None:
        """What is heard with what was shown."""
        return None

    def _continue(self, state: Mapping[str, torch.Tensor], report: StepReport) -> bool:
        """Take the recording up again; False when it is not there any more, or cannot take these frames."""
        began, kind = unpack_origin(state, self._began, report.step)
        if self._curve is not None:
            self._curve.load_state(state)
        if began != self._began:
            self._began = began
            self._plan(began)
        shape = self._draw(report).shape
        if kind is not None and kind != self._kind:
            return False
        position, header = unpack(state, shape, self._frames.total())
        self._last = report
        for step in [step for step in self._frames if step <= report.step]:
            del self._frames[step]
        found = self._rest if self._rest.exists() else self._path
        if not position.offset:  # the first segment is made anew
            if self._rest != self._growing:  # an older one would be taken for it after a kill
                self._rest.unlink(missing_ok=True)
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

    def _check_rate(self) -> None:
        """See that interpolated frames do not come too fast.

        Raises:
            InputError: they would.
        """
        config, most = self.config, MOST_FPS.get(self.config.format, _MOST_FPS)
        if config.interpolate > 1 and self._rate * config.interpolate > most:
            text = f"{self._rate:g} x {config.interpolate} frames per second; {config.format} has at most {most:g} here"
            raise InputError(f"exporter {config.name}: interpolate: {text}")

    def _check_memory(self) -> None:
        """See that all frames fit into memory, where their order is changed.

        Raises:
            InputError: they would not.
        """
        width, height = self.output.size
        needed = self._frames.total() * self.config.interpolate * width * height * self.output.canvases * 3
        if self.config.order != "forward" and needed > _MOST_BYTES:
            text = (
                f"{self._frames.total()} frames of {width} x {height} need {needed / 2**30:.1f} GiB of memory"
            )
            raise InputError(
                f"exporter {self.config.name}: order: {self.config.order}: {text}, the limit is "
                f"{_MOST_BYTES >> 30}; make it shorter, or play it forward"
            )

    def _set_old_aside(self, step: int) -> None:
        for path in (self._path, self._rest):
            if path.exists():
                path.replace(path.with_name(_aside(path.name, f"{step:05d}")))

    @property
    def _path(self) -> Path:
        return self.output.path(_name(self.config))

    @property
    def _rest(self) -> Path:
        """The recording, where it is not the video itself."""
        return self.output.path(_recording_name(self.config))

    @property
    def _growing(self) -> Path:
        return self._rest if self._recorded == "lossless" else self._path

    @property
    def _quality(self) -> int:
        return self.config.quality or 80

    @property
    def _is_opaque(self) -> bool:
        """Whether transparency is white in any format, since captions and filters know none."""
        config = self.config
        return bool(config.caption) or config.loss_curve or config.deflicker or config.interpolate > 1

    def _show(self, report: StepReport, frames: int) -> None:
        if frames:
            if self._encoder is None:
                self._start(Recording(self._growing))
            assert self._encoder is not None
            self._encoder.write(report, frames)

    def _start(self, recording: Recording, begin: Position | None = None) -> None:
        self._recording = recording
        self._encoder = Encoder(
            self._path.name,
            self._recorded,
            self._rate,
            self._quality,
            recording,
            self._draw,
            begin,
            self.config.site,
        )

    def _draw(self, report: StepReport) -> Frame:
        """The frame of a report, with its curve and its caption."""
        frame = frame_of(report, self.config.format, opaque=self._is_opaque, clear=self.config.transparent)
        if self._curve is not None:
            frame = self._curve.beside(frame, report.step)
        if self._captions is not None:
            frame = self._captions.below(frame, report.step)
        self._shape = frame.shape
        return frame

    @property
    def _kind(self) -> str:
        """What all pieces of one recording have in common, once a frame has been drawn."""
        height, width, _ = self._shape
        return f"{width}x{height} {self._rate:g} {self._quality} {self._recorded} {self.config.site or 'as it is'}"

    @property
    def _recorded(self) -> str:
        return recorded_as(self.config.format, _afterwards(self.config))

    def _keep_recording(self) -> Path:
        """Where the recording is going to stay when the video that ended early is put in its place."""
        if self._growing != self._rest:
            part = part_of(self._rest)
            shutil.copyfile(self._growing, part)
            publish(part, self._rest)
        return self._rest


class Video(Recorder[VideoConfig]):
    """Streams the pictures into an MP4, WebM, GIF, APNG or WebP of a given length: how the picture came to be.

    An MP4 or WebM plays while it is written and after a kill. The others are recorded as MP4 and converted at the end.
    Several canvases share one video, side by side. Frames are the same whether the run stopped on the way or not.
    """

    def __init__(self, config: VideoConfig, output: Output) -> None:
        super().__init__(config, output)
        self._check_frames()

    def _plan(self, start: int) -> None:
        plan = frame_plan(self.config, self.output.steps, start)
        self._rate = frame_rate(self.config, self.output.steps - start)
        self._frames = Counter(plan)
        self._held = self._frames[self.output.steps] if self.output.steps > start else 1

    def _check_frames(self) -> None:
        steps, frames = self.output.steps - self.output.first_step, self._frames.total()
        if self.config.fps is not None and frames > _MANY * (steps + 1):
            log.warning(
                "%s: %d steps fill %d frames, so that each picture stays for %d; more steps or a smaller fps would help",
                self._path.name, steps, frames, frames // (steps + 1),
            )  # fmt: skip


def _name(config: Streamed) -> str:
    return f"{config.name}.{EXTENSIONS[config.format]}"


def _recording_name(config: Streamed) -> str:
    """Another one for each format, since a recipe may have several videos of one name."""
    recorded = recorded_as(config.format, _afterwards(config))
    return f"{config.name}.{config.format}.recording.{pieces_of(recorded)}"


def _afterwards(config: Streamed) -> Afterwards:
    return Afterwards(config.order, config.interpolate, config.deflicker, config.transparent)


def _aside(name: str, step: str) -> str:
    stem, _, extension = name.rpartition(".")
    return f"{stem}-until-step-{step}.{extension}"
