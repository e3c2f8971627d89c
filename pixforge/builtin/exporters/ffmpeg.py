"""ffmpeg as a child process.

imageio_ffmpeg brings the program; its own `write_frames` neither reports the exit status nor keeps what ffmpeg said.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO, Any

from pixforge.errors import RunError


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
    with tempfile.TemporaryFile() as log:
        process = start(["-nostdin", *arguments], log)
        try:
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if status:
            raise failure(name, status, log)


def failure(name: str, status: int, log: IO[bytes]) -> RunError:
    """The error for a process that ended badly."""
    log.seek(0)
    lines = log.read(2**20).decode(errors="replace").strip().splitlines()
    # The first line is the cause, the others are its consequences; it opens with "[what @ address] ".
    reason = re.sub(r"^(\[[^\]]*\] )+", "", lines[0]) if lines else f"it ended with status {status}"
    return RunError(f"{name}: the video encoder failed: {reason}")
