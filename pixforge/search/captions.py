"""What to write below pictures that lie side by side: of which run each is, and in what its recipe differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pixforge.errors import InputError
from pixforge.recipe.differences import ABSENT
from pixforge.recipe.formats.document import Where
from pixforge.recipe.formats.read import read
from pixforge.recipe.words import path_text, shown

_OF_RUNS = ("run.json", "recipe.yaml")
"""Files that lie in each run's folder."""
_OBVIOUS = ("files", "version")


def name_of(path: Path) -> str:
    """The file's name, after that of its run, since all runs call their pictures alike."""
    folder = path.absolute().parent
    of_run = any((folder / each).is_file() for each in _OF_RUNS)
    return f"{folder.name}/{path.name}" if of_run else path.name


def distinctions(paths: Sequence[Path]) -> list[str]:
    """For each picture the values of its recipe that not all have, such as `seed 3, steps 100`; "" without a recipe."""
    recipes = [_recipe(path) for path in paths]
    known = [each for each in recipes if each is not None]
    found = list(_varying(known, ()))
    texts = iter([
        ", ".join(f"{path_text(where)} {_short(values[index])}" for where, values in found)
        for index in range(len(known))
    ])  # fmt: skip
    return ["" if each is None else next(texts) for each in recipes]


def _recipe(path: Path) -> dict[Any, Any] | None:
    try:
        data = read(path).data
    except InputError:
        return None
    return {key: value for key, value in data.items() if key not in _OBVIOUS}


def _varying(values: Sequence[Any], where: Where) -> Iterator[tuple[Where, Sequence[Any]]]:
    """The paths at which not all have the same value; components of different types differ as a whole."""
    if all(type(each) is type(values[0]) and each == values[0] for each in values):
        return
    parts: list[tuple[Any, list[Any]]] = []
    if (
        all(isinstance(each, Mapping) for each in values)
        and len({str(each.get("type")) for each in values}) == 1
    ):
        keys = dict.fromkeys(key for each in values for key in each)
        parts = [(key, [each.get(key, ABSENT) for each in values]) for key in keys]
    elif all(isinstance(each, list) for each in values):
        longest = max(map(len, values))
        padded = [[*each, *[ABSENT] * (longest - len(each))] for each in values]
        parts = [(index, [each[index] for each in padded]) for index in range(longest)]
    else:
        yield where, values
    for part, each in parts:
        yield from _varying(each, (*where, part))


def _short(value: Any) -> str:
    """A component by its type, a prompt by what it is, anything else as it is."""
    if value is ABSENT:
        return "(none)"
    if isinstance(value, Mapping):
        value = value.get("type", next(iter(value.values()), "{}"))
    return value if isinstance(value, str) else shown(value)
