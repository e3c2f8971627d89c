"""One stretch of a video through one ffmpeg, from frames to pieces of a recording."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pixforge.builtin.exporters.video.fragments import fragments
from pixforge.errors import RunError
from pixforge.media.ffmpeg import alive, failure, start

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pixforge.builtin.exporters.video.recording import Recording


LONGEST = 60
KEPT_BYTES = 64 * 2**20


class Segment:
    """A running ffmpeg: frames go in, and a thread appends what comes out to the recording.

    Args:
        name: what errors call the file.
        format_: of the pieces, `mp4` or `webm`.
        arguments: ffmpeg's, all but the program.
        recording: takes the pieces.
    """

    def __init__(self, name: str, format_: str, arguments: Sequence[str], recording: Recording) -> None:
        self._name = name
        self._format = format_
        self._recording = recording
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        try:
            self._process = start(arguments, self._log, piped=True)
        except BaseException:
            self._log.close()
            raise
        self._error: Exception | None = None
        self._failure: RunError | None = None
        self._thread = threading.Thread(target=self._take, name=f"pixforge {name} out", daemon=True)
        self._thread.start()

    def feed(self, frame: npt.NDArray[np.uint8], count: int) -> None:
        """Show a picture for `count` frames.

        Raises:
            RunError: ffmpeg has ended.
            OSError: the recording cannot be written.
        """
        assert self._process.stdin is not None
        stream = self._process.stdin
        try:
            for _ in range(count):
                alive(self._process, lambda: stream.write(frame.data))
        except OSError:
            self.end()
            raise RunError(f"{self._name}: the video encoder ended too early") from None

    def end(self) -> None:
        """Say that no more frames come, and wait until everything is in the recording.

        Raises:
            RunError: ffmpeg failed.
            OSError: the recording cannot be written.
        """
        assert self._process.stdin is not None
        with suppress(OSError):  # the pipe broke: its exit status says why
            alive(self._process, self._process.stdin.close)
        alive(self._process, self._thread.join)
        status = alive(self._process, self._process.wait)
        if not self._log.closed:
            with self._log:
                if status or self._error is not None:
                    self._failure = failure(self._name, status, self._log)
        if isinstance(self._error, OSError):
            raise self._error
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Break it off, as after an error; what is in the recording stays."""
        self._process.kill()
        with suppress(Exception):
            self.end()

    def _take(self) -> None:
        assert self._process.stdout is not None
        try:
            with self._process.stdout as stream:
                pieces = fragments(self._format, stream)
                header = next(pieces, b"")
                for piece in pieces:
                    self._recording.append(header, piece)
        except Exception as error:  # noqa: BLE001 - raised again by `end`
            self._error = error
            self._process.kill()


def segment_length(frame_bytes: int) -> int:
    """Frames in a segment: as many as may be kept in memory and in a checkpoint."""
    return max(1, min(LONGEST, KEPT_BYTES // max(frame_bytes, 1)))
