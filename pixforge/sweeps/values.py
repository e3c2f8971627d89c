"""The values of an axis as people write them: `0.1,0.3,1`, `[64x64, 128x128]`, `0.1..1:5`, `0.001..0.1:5:log`."""

from __future__ import annotations

import math
import re
from typing import Any

from pixforge.errors import RecipeError
from pixforge.recipe.overrides import parse_value
from pixforge.recipe.words import shown

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\.\.({_NUMBER}):(\d{{1,4}})(:log)?\s*")
_OPEN, _CLOSED = "[{(", "]})"


def split_values(text: str) -> list[str]:
    """The parts between commas, but for commas in brackets, braces and quotes."""
    parts, start, depth, quote = [], 0, 0, ""
    for index, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and not text[start:index].strip():
            quote = char
        elif char in _OPEN:
            depth += 1
        elif char in _CLOSED:
            depth = max(depth - 1, 0)
        elif char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def parse_values(text: str, label: str) -> list[Any]:
    """The values of `--set path=VALUES`, each as YAML writes it.

    Raises:
        RecipeError: one of them is empty or not YAML.
    """
    found: list[Any] = []
    for part in split_values(text):
        if not part.strip():
            raise RecipeError(f"{label}: a value is empty; write them as in 0.1,0.3,1")
        found += spread(part, label) or [parse_value(part.strip(), label)]
    return found


def spread(value: Any, label: str) -> list[int | float] | None:
    """The numbers of a range such as `0..1:5` (evenly) or `0.01..1:5:log` (by a constant factor), else None.

    They have six digits.

    Raises:
        RecipeError: it has fewer than two numbers, or a logarithm of what is not positive.
    """
    match = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    low, high, count = float(match[1]), float(match[2]), int(match[3])
    if count < 2 or low == high:
        raise RecipeError(
            f"{label}: {shown(value)}: a range has two ends and at least 2 numbers, such as 0..1:5"
        )
    if match[4] and min(low, high) <= 0:
        raise RecipeError(f"{label}: {shown(value)}: a range by factors has positive ends")
    shares = [index / (count - 1) for index in range(count)]
    if match[4]:
        numbers = [math.exp(math.log(low) + share * math.log(high / low)) for share in shares]
    else:
        numbers = [low + share * (high - low) for share in shares]
    rounded = [float(f"{number:.6g}") for number in numbers]
    return [int(number) if number.is_integer() else number for number in rounded]
