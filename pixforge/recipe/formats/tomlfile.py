"""Read TOML. Its parser reports no positions, so they are found by parsing growing pieces of the file."""

from __future__ import annotations

import re
import sys
from datetime import date, time
from typing import Any

from pixforge.errors import RecipeError
from pixforge.recipe.formats.document import MAX_DEPTH, Where

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MAX_LINES = 500
_LINE = re.compile(r"at line (\d+)")


def parse_toml(text: str, label: str) -> dict[str, Any]:
    """Parse TOML; dates and times become texts.

    Raises:
        RecipeError: the text is not valid TOML; names the line.
    """
    try:
        data: dict[str, Any] = _without_dates(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        where = f"{label}:{found[1]}" if found else label
        raise RecipeError(f"{where}: not valid TOML: {error}") from None
    except RecursionError:
        raise RecipeError(f"{label}: nested more than {MAX_DEPTH} levels deep") from None
    except ValueError as error:  # a number of thousands of digits, or an invalid date
        raise RecipeError(f"{label}: not valid TOML: {error}") from None
    return data


def toml_lines(text: str) -> dict[Where, int]:
    """The line of the statement that sets each value; for very long files only that of the recipe itself."""
    lines = text.splitlines(keepends=True)
    found: dict[Where, int] = {(): 1}
    start = 1
    for count in range(1, len(lines) + 1 if len(lines) <= _MAX_LINES else 1):
        if start == count and not lines[count - 1].split("#")[0].strip():
            start = count + 1
            continue
        try:
            data = tomllib.loads("".join(lines[:count]))
        except ValueError:
            continue
        for where in _paths(data, ()):
            found.setdefault(where, start)
        start = count + 1
    return found


def _paths(value: Any, where: Where) -> list[Where]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [where, *(path for key, each in pairs for path in _paths(each, (*where, key)))]


def _without_dates(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_dates(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_dates(each) for each in value]
    return value.isoformat() if isinstance(value, date | time) else value
