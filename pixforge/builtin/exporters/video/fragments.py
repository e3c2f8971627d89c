"""What ffmpeg says on a pipe, cut into a header and pieces that can each be appended to a file that plays.

MP4: ISO/IEC 14496-12, boxes of a 32-bit length and a name. WebM: EBML (RFC 8794), elements of a variable-length name
and length; Matroska (RFC 9559) for the names.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

LARGEST = 2**31
_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675


def fragments(format_: str, stream: IO[bytes]) -> Iterator[bytes]:
    """The header first, then whole fragments (MP4) or clusters (WebM), without indices at the end.

    Raises:
        ValueError: it is something else, or ends within a piece.
    """
    return _webm(stream) if format_ == "webm" else _mp4(stream)


def _mp4(stream: IO[bytes]) -> Iterator[bytes]:
    header, fragment = b"", b""
    while start := stream.read(8):
        length, name = struct.unpack(">I4s", _whole(start, 8))
        box = start + _read(stream, length - 8)
        if name in {b"ftyp", b"moov"}:
            header += box
        if name == b"moov":
            yield header
        if name in {b"moof", b"mdat"}:
            fragment += box
        if name == b"mdat":
            yield fragment
            fragment = b""


def _webm(stream: IO[bytes]) -> Iterator[bytes]:
    header: bytes | None = b""
    while start := stream.read(1):
        name = start + _read(stream, _length_of(start[0]) - 1)
        first = _read(stream, 1)
        size = first + _read(stream, _length_of(first[0]) - 1)
        number = int.from_bytes(name, "big")
        # A segment in a pipe has no known length: its children follow.
        body = b"" if number == _SEGMENT else _read(stream, _number(size))
        if number == _CLUSTER:
            if header is not None:
                yield header
                header = None
            yield name + size + body
        elif header is not None:
            header += name + size + body


def _length_of(first: int) -> int:
    """How many bytes an EBML number has: one more than the zeros that it begins with."""
    if not first:
        raise ValueError("not a WebM stream")
    return 9 - first.bit_length()


def _number(size: bytes) -> int:
    return int.from_bytes(size, "big") & ((1 << 7 * len(size)) - 1)


def _read(stream: IO[bytes], length: int) -> bytes:
    if not 0 <= length <= LARGEST:
        raise ValueError(f"a piece of {length} bytes")
    return _whole(stream.read(length), length)


def _whole(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise ValueError("the stream ends within a piece")
    return data
