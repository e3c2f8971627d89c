"""Compare two recipes value by value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pixforge.recipe.formats.document import Where
from pixforge.recipe.words import path_text, shown

ABSENT = object()
"""Stands for a value that only the other recipe has."""


class Difference(NamedTuple):
    """The path to a value and its content in both recipes, `ABSENT` if a recipe does not have it."""

    where: Where
    old: Any
    new: Any

    def __str__(self) -> str:
        old, new = ("(none)" if each is ABSENT else shown(each) for each in (self.old, self.new))
        return f"{path_text(self.where)}: {old} -> {new}"


def differences(old: Any, new: Any, where: Where = ()) -> list[Difference]:
    """All paths where plain data differ, in the order of `old`; components of different types differ as a whole."""
    if isinstance(old, Mapping) and isinstance(new, Mapping) and old.get("type") == new.get("type"):
        keys = [*old, *(key for key in new if key not in old)]
        pairs = [(key, old.get(key, ABSENT), new.get(key, ABSENT)) for key in keys]
    elif isinstance(old, list) and isinstance(new, list):
        longest = max(len(old), len(new))
        padded = [[*each, *[ABSENT] * (longest - len(each))] for each in (old, new)]
        pairs = [(index, *pair) for index, pair in enumerate(zip(*padded, strict=True))]
    else:
        return [] if type(old) is type(new) and old == new else [Difference(where, old, new)]
    return [each for key, one, other in pairs for each in differences(one, other, (*where, key))]
