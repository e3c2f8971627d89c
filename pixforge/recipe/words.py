"""Small helpers for messages: suggestions of similar words, and values shortened to one line."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pixforge.recipe.formats.document import Where

_LONGEST = 60


def suggest(word: str, known: Iterable[str], heading: str = "known", *, meant: str | None = None) -> str:
    """The end of a message: `. Did you mean 'x'? (known: x, y)`; each part is left out if it is empty.

    `meant` is what the word means, where that is known; else the nearest word by its letters is suggested.
    """
    words = sorted(known)
    near = [meant] if meant else get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    question = f". Did you mean '{near[0]}'?" if near else ""
    return f"{question} ({heading}: {', '.join(words)})" if words else question


def shown(value: Any) -> str:
    """A value on one short line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write a whole number of thousands of digits
        return "a huge number"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def path_text(where: Where) -> str:
    """The path to a value as text, such as `losses[1].type`."""
    text = ""
    for part in where:
        word = part if isinstance(part, int) or part.isprintable() else repr(part)
        text += f"[{word}]" if isinstance(word, int) and text else f".{word}" if text else str(word)
    return text if len(text) <= 2 * _LONGEST else f"{text[: 2 * _LONGEST - 3]}..."
