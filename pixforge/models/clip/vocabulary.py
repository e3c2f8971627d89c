"""Which words of a text a model knows: the list of the embedded perceptor, and letters that CLIP's models hardly saw."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

_WORD = re.compile(r"[^\W\d_]{2,}(?:'[^\W\d_]+)?")
_TEMPLATES = frozenset({"itap", "bad", "origami"})
"""Words of the default templates of the prompt `labels`, which nobody typed."""
_LONGEST = 40
"""Letters: nothing in the list is longer, and comparing takes time."""


def unknown_words(texts: Iterable[str]) -> dict[str, list[str]]:
    """The words that the embedded perceptor was not trained with, each with up to two words of similar spelling."""
    known = _known()
    found: dict[str, list[str]] = {}
    for text in texts:
        for word in _WORD.findall(text.lower()):
            if word not in found and not _forms(word) & known:
                found[word] = (
                    get_close_matches(word, known, n=2, cutoff=0.75) if len(word) <= _LONGEST else []
                )
    return found


def other_script(text: str) -> str | None:
    """The name of the script, such as Cyrillic, when most letters of a text are not Latin; None when they are."""
    letters = [char for char in text if char.isalpha()]
    others = [char for char in letters if not unicodedata.name(char, "LATIN").startswith("LATIN")]
    if not others or 2 * len(others) <= len(letters):
        return None
    return unicodedata.name(others[0]).split()[0].capitalize()


def _forms(word: str) -> set[str]:
    """A word, and what it may be a plural or possessive of."""
    plain = word.split("'", maxsplit=1)[0]
    return {word, plain, plain.removesuffix("s"), plain.removesuffix("es"), f"{plain}s"}


@cache
def _known() -> frozenset[str]:
    text = (files("pixforge.models.clip") / "embedded_words.txt").read_text("utf-8")
    return frozenset(text.split()) | _TEMPLATES
