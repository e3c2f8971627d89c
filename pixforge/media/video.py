"""Frames of videos and animated pictures.

Animated pictures are read through imageio. Videos are not, since its plugin leaves ffmpeg's pipes to the garbage
collector; and nothing is written through it, since it gives back neither ffmpeg's exit status nor its words, and holds
all frames of an animated picture in memory.
"""

from __future__ import annotations

import logging
import re
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pixforge.errors import ImageError
from pixforge.media.ffmpeg import PATIENCE, alive, ffmpeg, reason_of
from pixforge.media.files import MAX_PIXELS
from pixforge.media.metadata import Kind, kind_of
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Frame = npt.NDArray[np.uint8]

MAX_FRAMES = 1_000_000
log = logging.getLogger(__name__)
_MOST_SAID = 4096
_DEMUXERS: dict[Kind, str] = {"mp4": "mov", "webm": "matroska"}


def frames(path: str | Path, rate: float | None = None) -> Generator[Frame, None, None]:
    """The frames of an MP4, WebM, GIF, APNG or WebP: each `[H, W, 3]`, or `[H, W, 4]` of an animated picture.

    With `rate`, an MP4, WebM or GIF has so many of them per second, evenly, whatever its own rate is; some are then
    left out or come twice.

    Raises:
        ImageError: it cannot be read, is none of these, is damaged, or has too many pixels or frames.
        RunError: there is no ffmpeg.
    """
    kind = _kind(path)
    number = 0
    by_ffmpeg = kind in _DEMUXERS if rate is None else kind in {*_DEMUXERS, "gif"}
    for frame in _video(path, kind, rate) if by_ffmpeg else _animation(path):
        number += 1
        if number > MAX_FRAMES:
            raise ImageError(f"{path}: has more than {MAX_FRAMES} frames")
        yield frame
    if not number:
        raise ImageError(f"{path}: has no frames")


def rate_of(path: str | Path) -> float | None:
    """Frames per second as a video or GIF says; None when it does not.

    Raises:
        ImageError: it cannot be read, or is none of these.
        RunError: there is no ffmpeg.
    """
    command = [ffmpeg(), "-hide_banner", "-nostdin", *_source(path, _kind(path))]
    try:
        said = subprocess.run(  # noqa: S603 - our own arguments
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE
        ).stderr
    except subprocess.TimeoutExpired:
        raise ImageError(f"{path}: cannot be read in {PATIENCE:g} s") from None
    found = re.search(rb"Video:.*?(\d+(?:\.\d+)?) fps", said)
    rate = float(found[1]) if found else 0.0
    return rate if 1 <= rate <= 240 else None


def _source(path: str | Path, kind: Kind) -> list[str]:
    # A named format, and files only: a playlist in disguise must not make ffmpeg open addresses.
    demuxer = _DEMUXERS.get(kind, kind)
    return ["-protocol_whitelist", "file", "-f", demuxer, "-i", str(Path(path).resolve())]


def _kind(path: str | Path) -> Kind:
    try:
        with open_ordinary(path) as file:
            kind = kind_of(file.read(16))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ImageError(f"{path}: cannot be read ({reason})") from None
    if kind is None or kind == "jpeg":
        raise ImageError(f"{path}: is no video or animated picture (MP4, WebM, GIF, APNG or WebP)")
    return kind


def _animation(path: str | Path) -> Iterator[Frame]:
    import imageio.v3

    imopen: Any = imageio.v3.imopen
    try:
        # By its whole path: imageio takes some short names for cameras and for addresses.
        with imopen(Path(path).resolve(), "r", plugin="pillow") as reader:
            height, width = reader.properties(index=0).shape[:2]
            _check_size(path, width, height)
            yield from reader.iter(mode="RGBA")
    except ImageError:
        raise
    except MemoryError:
        raise ImageError(f"{path}: is too large for this machine's memory") from None
    except Exception as error:  # decoders raise anything on damaged data
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise ImageError(f"{path}: is damaged or cut short ({reason})") from error


def _video(path: str | Path, kind: Kind, rate: float | None) -> Iterator[Frame]:
    timing = ["-fps_mode", "passthrough"] if rate is None else ["-vf", f"fps={rate:.6f}"]
    output = ["-map", "0:v:0", *timing, "-pix_fmt", "rgb24", "-c:v", "ppm", "-f", "image2pipe", "-"]
    command = [ffmpeg(), "-v", "error", "-nostdin", "-xerror", *_source(path, kind), *output]
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(  # noqa: S603 - our own arguments
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words
        )
        try:
            assert process.stdout is not None
            with process.stdout as stream:
                pixmaps = _pixmaps(path, stream)
                while (frame := alive(process, lambda: next(pixmaps, None))) is not None:
                    yield frame
            status = alive(process, process.wait)
        finally:
            process.kill()
            process.wait()
        if status:
            reason = reason_of(status, words)
            if "matches no streams" in reason:
                raise ImageError(f"{path}: has no pictures; it is sound alone, or damaged or cut short")
            raise ImageError(f"{path}: is damaged or cut short ({reason})")
        words.seek(0)
        if said := words.read(_MOST_SAID).decode("utf-8", "replace").strip():  # it went on all the same
            reason = re.sub(r"^\[[^\]]*\]\s*", "", said.split("\n", 1)[0])[:200]
            log.warning("%s: is damaged; what could be read of it is used (%s)", path, reason)


def _pixmaps(path: str | Path, stream: IO[bytes]) -> Iterator[Frame]:
    """Pictures in the PPM format, one after the other, as ffmpeg writes them."""
    import numpy as np

    while stream.readline(16) == b"P6\n":
        width, height = (int(side) for side in stream.readline(32).split())
        stream.readline(16)  # the largest value, 255
        _check_size(path, width, height)
        data = stream.read(width * height * 3)
        if len(data) < width * height * 3:
            return  # ffmpeg's exit status says why
        yield np.frombuffer(data, np.uint8).reshape(height, width, 3)


def _check_size(path: str | Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(f"{path}: has {width} x {height} pixels, the limit is {MAX_PIXELS // 10**6} million")
