"""The types of the recipe's own fields that may be written in several ways."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

SMALLEST, LARGEST = 16, 8192
_DEVICE = r"^(auto|cpu|mps|cuda(:[0-9]{1,3})?)$"
_TIMES = re.compile(r"\s*(\d{1,12})\s*[xX×]\s*(\d{1,12})\s*")  # noqa: RUF001 - people type that sign
RETAIN = "retain"
"""The size of the start picture; the loader writes it out."""
_SIZE_HELP = "a size is [width, height], one number for a square, a text such as 512x256, or retain"


def parse_size(value: Any) -> tuple[int, int]:
    """Width and height; PydanticCustomError where it is no size."""
    if isinstance(value, str) and (match := _TIMES.fullmatch(value)):
        value = [int(match[1]), int(match[2])]
    if _is_whole(value):
        value = [value, value]
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(_is_whole, value)):
        raise PydanticCustomError("size", _SIZE_HELP)
    for side in value:
        if not SMALLEST <= side <= LARGEST:
            reason = f"width and height go from {SMALLEST} to {LARGEST} pixels"
            raise PydanticCustomError("size", "{reason}", {"reason": reason})
    return value[0], value[1]


def _seed(value: Any) -> int | str:
    if isinstance(value, str) and value:
        return value
    if not _is_whole(value):
        raise PydanticCustomError("seed", "a seed is a whole number or a text")
    if abs(value) >= 2**63:
        raise PydanticCustomError(
            "seed", "a seed lies between -2^63 and 2^63; in quotes it may be of any length"
        )
    return int(value)


def _device(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, list | tuple):
        if not value or any(each == "auto" for each in value):
            raise PydanticCustomError("device", "a list of devices names each, such as [cuda:0, cuda:1]")
        return tuple(map(_one_device, value))
    return _one_device(value)


def _chunk(value: Any) -> int | str:
    if value == "auto" or (_is_whole(value) and value > 0):
        checked: int | str = value
        return checked
    raise PydanticCustomError("chunk", "a chunk is auto, or a number of cutouts from 1 on")


def _one_device(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_DEVICE, value):
        raise PydanticCustomError("device", "a device is auto, cpu, cuda, cuda:N or mps")
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_SIDE = {"type": "integer", "minimum": SMALLEST, "maximum": LARGEST}
Size = Annotated[
    tuple[int, int],
    BeforeValidator(parse_size),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": _SIDE, "minItems": 2, "maxItems": 2},
                _SIDE,
                {"type": "string", "pattern": "^[0-9]+x[0-9]+$"},
                {"const": RETAIN},
            ]
        }
    ),
]
Seed = Annotated[
    int | str,
    BeforeValidator(_seed),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 1}]}),
]
_ONE_DEVICE = {"type": "string", "pattern": _DEVICE}
Device = Annotated[
    str | tuple[str, ...],
    BeforeValidator(_device),
    WithJsonSchema({"anyOf": [_ONE_DEVICE, {"type": "array", "items": _ONE_DEVICE, "minItems": 1}]}),
]
Chunk = Annotated[
    int | str,
    BeforeValidator(_chunk),
    WithJsonSchema({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1}]}),
]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""A SHA-256 in hexadecimal digits."""
