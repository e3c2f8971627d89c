"""Sound from files; a file is hostile until it has been checked."""

from __future__ import annotations

import subprocess
import tempfile
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import InputError
from pixforge.media.ffmpeg import alive, ffmpeg, reason_of
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]

MAX_BYTES = 256 * 2**20
MAX_SECONDS = 1200
RATE = 44_100
"""Samples per second of what ffmpeg decodes, and the largest rate that is kept."""
_WORKS = "WAV, MP3, FLAC, Ogg, M4A, AIFF, or a video with sound"
_FULL = {1: 128.0, 2: 32768.0, 3: 8388608.0, 4: 2147483648.0}
"""The largest sample of each width in bytes."""


class SoundError(InputError):
    """A sound cannot be read, or is larger than the limit."""


def read_sound(path: str | Path) -> tuple[Samples, int]:
    """The mean of all channels `[N]` in [-1, 1], and samples per second.

    WAV is read by the standard library, everything else by ffmpeg. The content decides the format.

    Raises:
        SoundError: it is missing, no sound, damaged, empty, or has more than 256 MiB or 20 minutes.
        RunError: there is no ffmpeg.
    """
    format_ = format_of(path)
    found = _wave(path) if format_ == "wav" else None
    samples, rate = found or _decoded(path, format_)
    if not len(samples):
        raise SoundError(f"{path}: has no sound in it; {_WORKS} can be read")
    return samples, rate


def format_of(path: str | Path) -> str:
    """The name that ffmpeg has for the format of a file, of those that may hold sound.

    Raises:
        SoundError: it cannot be read, is too large, or is something else.
    """
    try:
        with open_ordinary(path) as file:
            head = file.read(16)
            size = file.seek(0, 2)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SoundError(f"{path}: cannot be read ({reason})") from None
    if size > MAX_BYTES:
        raise SoundError(f"{path}: has {size // 2**20} MiB, the limit is {MAX_BYTES // 2**20}")
    starts = {
        b"ID3": "mp3",
        b"OggS": "ogg",
        b"fLaC": "flac",
        b"FORM": "aiff",
        b"\x1a\x45\xdf\xa3": "matroska",
    }
    for start, name in starts.items():
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mov"
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0x06 == 0 else "mp3"
    raise SoundError(f"{path}: is no sound that can be read; {_WORKS} can")


def source(path: str | Path) -> list[str]:
    """The input arguments of ffmpeg for the sound of a file: a named format, and no address that a file may name.

    Raises:
        SoundError: as `format_of`.
    """
    return _input(path, format_of(path))


def seconds_of_sound(path: str | Path) -> float:
    """The length of a sound, for which all of it is read.

    Raises:
        SoundError: as `read_sound`.
    """
    samples, rate = read_sound(path)
    return len(samples) / rate


def _input(path: str | Path, format_: str) -> list[str]:
    return ["-protocol_whitelist", "file", "-f", format_, "-i", str(Path(path).resolve())]


def _wave(path: str | Path) -> tuple[Samples, int] | None:
    """A WAV of whole numbers; None for the other kinds of it, which ffmpeg reads."""
    import numpy as np

    try:
        with open_ordinary(path) as file, wave.open(file) as reader:
            width, channels, rate = reader.getsampwidth(), reader.getnchannels(), reader.getframerate()
            if width not in _FULL or channels < 1 or not 1000 <= rate <= RATE:
                return None
            if reader.getnframes() > MAX_SECONDS * rate:
                raise _too_long(path)
            data = reader.readframes(reader.getnframes())
    except (wave.Error, EOFError):
        return None
    data = data[: len(data) // (width * channels) * width * channels]
    if width == 3:  # the low byte of four is empty
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        values = wide.reshape(-1).view("<i4").astype(np.float32) / _FULL[4]
    elif width == 1:
        values = (np.frombuffer(data, np.uint8).astype(np.float32) - _FULL[1]) / _FULL[1]
    else:
        values = np.frombuffer(data, f"<i{width}").astype(np.float32) / np.float32(_FULL[width])
    return values.reshape(-1, channels).mean(axis=1), rate


def _decoded(path: str | Path, format_: str) -> tuple[Samples, int]:
    import numpy as np

    output = ["-map", "0:a:0", "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"]
    most = MAX_SECONDS * RATE * 4
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own arguments
            [ffmpeg(), "-v", "error", "-nostdin", *_input(path, format_), *output],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            assert process.stdout is not None
            with process.stdout as stream:
                data = alive(process, lambda: stream.read(most + 1))
            status = alive(process, process.wait) if len(data) <= most else 0
        finally:
            process.kill()
            process.wait()
        if len(data) > most:
            raise _too_long(path)
        if status or not data:
            reason = reason_of(status, log)
            if "matches no streams" in reason:
                raise SoundError(f"{path}: has no sound in it; {_WORKS} can be read")
            raise SoundError(f"{path}: has no sound, or is damaged ({reason}); {_WORKS} can be read")
    samples = np.frombuffer(data[: len(data) // 4 * 4], "<f4")
    return np.nan_to_num(samples).clip(-1, 1), RATE


def _too_long(path: str | Path) -> SoundError:
    return SoundError(f"{path}: is longer than {MAX_SECONDS // 60} minutes; cut it first")
