"""`halving.json`: which runs went on after each round of successive halving."""

from __future__ import annotations

import json
from pathlib import Path

from pixforge.ordinary_files import read_ordinary

HALVING = "halving.json"
_MOST = 2**24


def kept_of(folder: Path) -> list[list[str]]:
    """Which runs went on after each round of halving that is over."""
    try:
        found = json.loads(read_ordinary(folder / HALVING, _MOST))
    except (OSError, ValueError, RecursionError):
        return []
    good = isinstance(found, list) and all(isinstance(names, list) for names in found)
    return [[str(name) for name in names] for names in found] if good else []
