"""The types of plain YAML scalars, as in YAML 1.2.

One difference: whole numbers are always decimal, so that the size `0x64` is not read as the number 100.
"""

from __future__ import annotations

import math
import re
from typing import Any

PREFIX = "tag:yaml.org,2002:"
"""The prefix of the tags of YAML's own types."""

_MAX_DIGITS = 400
_SCALARS: dict[str, tuple[str, str]] = {
    "null": (r"~|null|Null|NULL|", "~nN\0"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
}


def add_resolvers(owner: Any) -> None:
    """Add these types to a PyYAML loader or dumper."""
    for name, (pattern, first) in _SCALARS.items():
        owner.add_implicit_resolver(
            PREFIX + name, re.compile(f"(?:{pattern})\\Z"), [char.strip("\0") for char in first]
        )


def convert(kind: str, text: str) -> Any:
    """Convert a scalar to its value.

    Raises:
        ValueError: an explicit tag gave the text this kind, but the text is not of it.
    """
    if kind == "str":
        return text
    if kind not in _CONVERT:
        raise ValueError(kind)
    return _CONVERT[kind](text)


def _int(text: str) -> float:
    if len(text) > _MAX_DIGITS:
        return math.inf  # such a number overflows a float too, and no field accepts it
    return int(text)


def _float(text: str) -> float:
    plain = text.lower().replace(".inf", "inf").replace(".nan", "nan")
    return math.nan if plain == "nan" else float(plain)


_CONVERT: dict[str, Any] = {
    "null": lambda _text: None,
    "bool": lambda text: ("false", "true").index(text.lower()) == 1,
    "int": _int,
    "float": _float,
}


KINDS = frozenset({*_SCALARS, "str"})
