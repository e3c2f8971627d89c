"""From reports to a recording, on a thread of its own.

The video is encoded in segments, each by an ffmpeg of its own. So a run that stops and goes on needs to keep the frames
of the last segment only, and the frames of the video do not depend on where it stopped. To start an ffmpeg costs as much
as 20 small frames, so the segments are no shorter than memory and checkpoints ask for.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pixforge.builtin.exporters.video.formats import pieces_of, recording_arguments
from pixforge.builtin.exporters.video.position import Position
from pixforge.builtin.exporters.video.segment import Segment, segment_length
from pixforge.errors import RunError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pixforge.builtin.exporters.video.recording import Recording
    from pixforge.contracts import StepReport

    Frame = npt.NDArray[np.uint8]

QUEUE = 8
TRIES = 3
"""How often a segment is encoded when ffmpeg dies over it."""


class _Mark:
    """Goes through the queue like a picture and comes back with the position."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.position: Position | None = None


class Encoder:
    """Takes pictures; at most `QUEUE` of them wait.

    Args:
        name: what errors call the file.
        recorded: how, as `recorded_as` says.
        fps: frames per second.
        quality: 1 to 100.
        draw: makes the frame `[H, W, 3]` of a report.
        site: whose size the video gets.
        recording: takes what comes out.
        begin: where an earlier encoder of the same recording was.
    """

    def __init__(
        self,
        name: str,
        recorded: str,
        fps: float,
        quality: int,
        recording: Recording,
        draw: Callable[[StepReport], Frame],
        begin: Position | None = None,
        site: str | None = None,
    ) -> None:
        self._name = name
        self._recorded = recorded
        self._draw = draw
        self._site = site
        self._fps = fps
        self._quality = quality
        self._recording = recording
        self._at = Position(begin.number, begin.offset) if begin else Position()
        if begin:
            self._at.frames, self._at.counts = list(begin.frames), list(begin.counts)
        self._fed = 0
        self._segment: Segment | None = None
        self._queue: queue.Queue[tuple[StepReport, int] | _Mark | None] = queue.Queue(QUEUE)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"pixforge {name}", daemon=True)
        self._thread.start()

    def write(self, report: StepReport, count: int) -> None:
        """Show a picture for `count` frames; waits while the queue is full.

        Raises:
            RunError: the encoder has ended.
            OSError: the recording cannot be written.
        """
        if report.image.device.type == "cpu":
            # Taken here: on another thread torch would start a second set of threads.
            report.pixels, report.layers  # noqa: B018
        self._put((report, count))

    def position(self) -> Position:
        """Where it is after all pictures until now; what comes before that segment is on the disk.

        Raises:
            RunError: the encoder has ended.
            OSError: the recording cannot be written.
        """
        mark = _Mark()
        self._put(mark)
        mark.done.wait()
        self._raise()
        assert mark.position is not None
        return mark.position

    def close(self) -> None:
        """Wait until everything is in the recording.

        Raises:
            RunError: the encoder failed.
            OSError: the recording cannot be written.
        """
        self._queue.put(None)
        self._thread.join()
        self._recording.close()
        self._raise()

    def _put(self, item: tuple[StepReport, int] | _Mark) -> None:
        if self._error is None and not self._thread.is_alive():  # nobody would empty the queue
            raise RunError(f"{self._name}: was closed before")
        if self._error is None:
            self._queue.put(item)
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        items = iter(
            self._queue.get, None
        )  # over for good once closed, so that it can be drained at any time
        try:
            self._advance()
            for item in items:
                if isinstance(item, _Mark):
                    self._answer(item)
                elif isinstance(item, tuple):
                    self._show(self._draw(item[0]), item[1])
            self._end_segment()
        except Exception as error:  # noqa: BLE001 - raised again in the loop's thread
            self._error = error
            self._drop_segment()
            for item in items:  # a full queue would block the loop for good
                if isinstance(item, _Mark):
                    item.done.set()

    def _answer(self, mark: _Mark) -> None:
        try:
            self._recording.sync()
            at = self._at
            mark.position = Position(at.number, at.offset, list(at.frames), list(at.counts))
        finally:
            mark.done.set()

    def _show(self, frame: Frame, count: int) -> None:
        length = segment_length(frame.nbytes)
        while count:
            part = min(count, length - sum(self._at.counts))
            self._at.frames.append(frame)
            self._at.counts.append(part)
            self._advance()
            count -= part
            if sum(self._at.counts) == length:
                self._end_segment()

    def _end_segment(self) -> None:
        if self._at.frames:
            self._advance(end=True)
            self._segment, self._fed = None, 0
            self._at = Position(self._at.number + 1, self._recording.size)

    def _advance(self, *, end: bool = False) -> None:
        """Feed what is kept and not yet fed; when ffmpeg dies over it, the whole segment once more."""
        for left in reversed(range(TRIES)):
            try:
                self._feed()
                if end and self._segment is not None:
                    self._segment.end()
            except RunError:  # noqa: PERF203 - the loop is the retry
                self._drop_segment()
                if not left:
                    raise
                self._recording.cut(self._at.offset)
            else:
                return

    def _feed(self) -> None:
        for frame, count in list(zip(self._at.frames, self._at.counts, strict=True))[self._fed :]:
            if self._segment is None:
                self._segment = self._start(frame)
            self._segment.feed(frame, count)
            self._fed += 1

    def _drop_segment(self) -> None:
        if self._segment is not None:
            self._segment.stop()
        self._segment, self._fed = None, 0

    def _start(self, frame: Frame) -> Segment:
        height, width, _ = frame.shape
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{self._fps:g}"]
        begins = self._at.number * segment_length(frame.nbytes) / self._fps
        output = recording_arguments(self._recorded, self._fps, self._quality, begins, self._site)
        return Segment(
            self._name, pieces_of(self._recorded), [*source, "-i", "-", *output, "-"], self._recording
        )
