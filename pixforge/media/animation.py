"""Animated pictures: what encoders leave undone."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

_LONGEST = 2**24 - 1
_ALPHA, _ANIMATION = 0x10, 0x02
_FRAME_CHUNKS = (b"ALPH", b"VP8 ", b"VP8L")


def as_animated_webp(data: bytes, seconds: Callable[[], float]) -> bytes:
    """A WebP as an animation; a still one becomes an animation of one frame, shown for `seconds()`.

    libwebp merges frames that are alike, and when one is left it writes a still picture.

    Raises:
        ValueError: the data is no WebP.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("not a WebP")
    if data[12:16] == b"VP8X" and data[20] & _ANIMATION:
        return data
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
        sides = b"".join(_three(side - 1) for side in image.size)
        alpha = _ALPHA if image.mode == "RGBA" else 0
    duration = _three(min(max(1, round(1000 * seconds())), _LONGEST))
    head = _chunk(b"VP8X", bytes([alpha | _ANIMATION, 0, 0, 0]) + sides)
    loop = _chunk(b"ANIM", bytes(6))  # no background, for ever
    frame = _chunk(b"ANMF", bytes(6) + sides + duration + b"\x00" + _picture(data))
    body = b"WEBP" + head + loop + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _picture(data: bytes) -> bytes:
    """The chunks that hold the pixels of a still WebP."""
    found, at = b"", 12
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        end += end % 2
        if data[at : at + 4] in _FRAME_CHUNKS:
            found += data[at:end]
        at = end
    return found


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2)
