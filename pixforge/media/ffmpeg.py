"""ffmpeg as a child process.

imageio_ffmpeg brings the program; its own `write_frames` neither reports the exit status nor keeps what ffmpeg said.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

from pixforge.errors import RunError

T = TypeVar("T")
PATIENCE = 120.0
"""Seconds without a sign of life after which an ffmpeg is taken for stopped."""


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


def start(arguments: Sequence[str], log: IO[bytes], *, piped: bool = False) -> subprocess.Popen[bytes]:
    """Start ffmpeg apart from the terminal, so that Ctrl-C reaches pixforge alone and the file gets finished.

    What it says goes to a file: nobody has to read it, so it cannot block. `piped`: frames in, a file out.
    """
    apart: dict[str, Any] = (
        {"creationflags": 0x00000200} if sys.platform == "win32" else {"start_new_session": True}
    )
    pipe = subprocess.PIPE if piped else subprocess.DEVNULL
    command = [ffmpeg(), "-y", "-hide_banner", "-nostats", "-v", "error", "-filter_threads", "1", *arguments]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, **apart)  # noqa: S603 - our own arguments


def convert(arguments: Sequence[str], name: str) -> None:
    """Run ffmpeg on files to its end; `name` is what errors call the file.

    Raises:
        RunError: it failed; with what it said first.
    """
    _finished(arguments, name)


def _finished(arguments: Sequence[str], name: str) -> float:
    """As `convert`; returns how many seconds of video it went through."""
    seconds = 0.0
    with tempfile.TemporaryFile() as log:
        # Its progress, said every second, is the sign that it is alive: how long a file takes, nobody knows.
        signs = ["-nostdin", "-progress", "pipe:1", "-stats_period", "1"]
        process = start([*signs, *arguments], log, piped=True)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            with process.stdout as stream:
                while line := alive(process, stream.readline):
                    key, _, value = line.decode(errors="replace").strip().partition("=")
                    if key == "out_time_us" and value.isdigit():
                        seconds = int(value) / 1e6
            status = alive(process, process.wait)
        finally:
            process.kill()
            process.wait()
        if status:
            raise failure(name, status, log)
    return seconds


def alive(process: subprocess.Popen[bytes], action: Callable[[], T]) -> T:
    """Wait for something that a process has to do; killed when it takes longer than `PATIENCE`, so that no wait is for ever."""
    timer = threading.Timer(PATIENCE, process.kill)
    timer.daemon = True
    timer.start()
    try:
        return action()
    finally:
        timer.cancel()


def seconds_of(path: Path) -> float:
    """The length of a video that pixforge has made.

    Raises:
        RunError: it cannot be read.
    """
    return _finished(["-i", str(path), "-map", "0:v:0", "-f", "null", "-"], path.name)


def failure(name: str, status: int, log: IO[bytes]) -> RunError:
    """The error for an encoder that ended badly."""
    return RunError(f"{name}: the video encoder failed: {reason_of(status, log)}")


def reason_of(status: int, log: IO[bytes]) -> str:
    """Why a process ended badly, by what it said."""
    log.seek(0)
    lines = log.read(2**20).decode(errors="replace").strip().splitlines()
    # The first line is the cause, the others are its consequences; it opens with "[what @ address] ".
    return re.sub(r"^(\[[^\]]*\] )+", "", lines[0]) if lines else f"it ended with status {status}"
