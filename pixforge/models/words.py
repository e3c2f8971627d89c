"""Names that are nearly right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x' or 'y'?`, or nothing."""
    by_lower = {each.lower(): each for each in known}
    lower = word.lower()
    close = get_close_matches(lower, by_lower, n=2, cutoff=0.6)
    close = close or [each for each in by_lower if each.startswith(f"{lower}_")][:2]
    return f" Did you mean {' or '.join(repr(by_lower[each]) for each in close)}?" if close else ""
