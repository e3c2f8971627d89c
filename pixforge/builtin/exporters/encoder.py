"""A running ffmpeg that takes frames, on a thread that feeds it.

imageio_ffmpeg brings the program; its own `write_frames` neither reports the exit status nor keeps what ffmpeg said,
so the process is run here.
"""

from __future__ import annotations

import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from pixforge.errors import RunError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pixforge.contracts import StepReport

QUEUE = 8


def ffmpeg() -> str:
    """The path of the ffmpeg that imageio-ffmpeg brings, or that its own rules find.

    Raises:
        RunError: there is none.
    """
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise RunError(f"no ffmpeg for the video ({error}); reinstall imageio-ffmpeg") from None


def start(
    arguments: Sequence[str], log: IO[bytes], stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start ffmpeg apart from the terminal, so that Ctrl-C reaches pixforge alone and the file gets finished.

    What it says goes to a file: nobody has to read it, so it cannot block.
    """
    windows = sys.platform == "win32"
    apart: dict[str, Any] = {"creationflags": 0x00000200} if windows else {"start_new_session": True}
    command = [ffmpeg(), "-y", "-hide_banner", "-nostats", "-v", "error", *arguments]
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=log, **apart)  # noqa: S603 - our own arguments


def convert(arguments: Sequence[str], name: str) -> None:
    """Run ffmpeg on files to its end; `name` is what errors call the file.

    Raises:
        RunError: it failed; with what it said first.
    """
    with tempfile.TemporaryFile() as log:
        process = start(["-nostdin", *arguments], log)
        try:
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if status:
            raise _failure(name, status, log)


def grid(pixels: npt.NDArray[np.uint8], even: bool) -> npt.NDArray[np.uint8]:
    """`[B, H, W, 3]` as one near-square sheet `[H', W', 3]`; `even` repeats the last row and column where needed."""
    import numpy as np

    count, height, width, _ = pixels.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, 3), np.uint8)
    sheet[:count] = pixels
    sheet = (
        sheet.reshape(rows, columns, height, width, 3)
        .swapaxes(1, 2)
        .reshape(rows * height, columns * width, 3)
    )
    if even and (sheet.shape[0] % 2 or sheet.shape[1] % 2):
        sheet = np.pad(sheet, ((0, sheet.shape[0] % 2), (0, sheet.shape[1] % 2), (0, 0)), mode="edge")
    return sheet


class Encoder:
    """Frames in, a file out; at most `QUEUE` pictures wait.

    Args:
        name: what errors call the file.
        fps: frames per second.
        arguments: ffmpeg's, after the input and up to the path of the file.
        even: make width and height even, as 4:2:0 video wants them.
    """

    def __init__(self, name: str, fps: float, arguments: Sequence[str], *, even: bool) -> None:
        self._name = name
        self._fps = fps
        self._arguments = list(arguments)
        self._even = even
        self._queue: queue.Queue[tuple[StepReport, int] | None] = queue.Queue(QUEUE)
        self._items = iter(
            self._queue.get, None
        )  # over for good once closed, so that it can be drained at any time
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"pixforge {name}", daemon=True)
        self._thread.start()

    def write(self, report: StepReport, count: int) -> None:
        """Show a picture for `count` frames; waits while the queue is full.

        Raises:
            RunError: the encoder has ended.
        """
        if report.image.device.type == "cpu":
            report.pixels  # noqa: B018 - taken here: on another thread torch would start a second set of threads
        if self._error is None:
            self._queue.put((report, count))
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Wait until everything is in the file.

        Raises:
            RunError: the encoder failed.
        """
        self._queue.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        with tempfile.TemporaryFile() as log:
            try:
                self._encode(log)
            except BaseException as error:  # noqa: BLE001 - raised again in the loop's thread
                self._error = error
                for _ in self._items:  # a full queue would block the loop for good
                    pass

    def _encode(self, log: IO[bytes]) -> None:
        process: subprocess.Popen[bytes] | None = None
        try:
            for report, count in self._items:
                frame = grid(report.pixels, self._even)
                process = process or self._start(frame, log)
                self._feed(process, frame, count, log)
        finally:
            if process is not None:
                _end(process)
        if process is not None and process.returncode:
            raise _failure(self._name, process.returncode, log)

    def _start(self, frame: npt.NDArray[np.uint8], log: IO[bytes]) -> subprocess.Popen[bytes]:
        height, width, _ = frame.shape
        source = [
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-s",
            f"{width}x{height}",
            "-r",
            f"{self._fps:g}",
            "-i",
            "-",
        ]
        return start([*source, *self._arguments], log, subprocess.PIPE)

    def _feed(
        self, process: subprocess.Popen[bytes], frame: npt.NDArray[np.uint8], count: int, log: IO[bytes]
    ) -> None:
        assert process.stdin is not None
        try:
            for _ in range(count):
                process.stdin.write(frame.data)
        except OSError:
            raise _failure(self._name, process.wait(), log) from None


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with suppress(OSError):  # the pipe broke: its exit status says why
        process.stdin.close()
    process.wait()


def _failure(name: str, status: int, log: IO[bytes]) -> RunError:
    log.seek(0)
    lines = log.read(2**20).decode(errors="replace").strip().splitlines()
    # The first line is the cause, the others are its consequences; it opens with "[what @ address] ".
    reason = re.sub(r"^(\[[^\]]*\] )+", "", lines[0]) if lines else f"it ended with status {status}"
    return RunError(f"{name}: the video encoder failed: {reason}")
