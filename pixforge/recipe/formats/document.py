"""A recipe as plain data, with the file and line of each value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pixforge.errors import RecipeError

Where = tuple[str | int, ...]
"""The path to a value: keys and list indices from the top of the recipe."""

MAX_DEPTH = 50
T = TypeVar("T")


@dataclass(frozen=True)
class RecipeText:
    """A recipe as text (YAML, or JSON) that is in no file, for `load_recipe`: from an editor, a form, a queue.

    Its relative paths start at `folder`, the current one where that is not given; messages call it `label`; its runs are
    named after `name`.
    """

    text: str = field(repr=False)
    folder: str | Path = "."
    name: str = "recipe"
    label: str = "recipe"


@dataclass
class Document:
    """A recipe that was read but not yet validated.

    `label` names the file in messages; its relative paths start at `folder`; `name` is the name of its run.
    `find_lines` is called only when an error must be located. `beside` is the folder of single-file plugins that the
    recipe need not name; it is None unless the recipe is a file of its own. `carried` is true for a recipe from inside
    a picture, video or checkpoint, which may come from anyone and is not trusted.
    """

    data: dict[Any, Any]
    label: str
    folder: Path
    name: str
    find_lines: Callable[[], dict[Where, int]] = dict
    overrides: dict[Where, str] = field(default_factory=dict)
    beside: Path | None = None
    carried: bool = False
    written: dict[Where, Where] = field(default_factory=dict)
    """Where a value that was made of another one stands in the file."""
    places: dict[Where, str] = field(default_factory=dict)
    """File and line of a value that came from another recipe."""
    below: list[Path] = field(default_factory=list)
    """The folders of the recipes that it extends and includes, the last one first."""

    def as_written(self, where: Where) -> Where:
        """The place in the file, where `where` may have been made of another place."""
        for length in range(len(where), 0, -1):
            if where[:length] in self.written:
                return self.written[where[:length]] + where[length:]
        return where

    @cached_property
    def lines(self) -> dict[Where, int]:
        """The line of each value, counted from 1."""
        return self.find_lines()

    def renumber(self, where: Where, origins: list[int]) -> None:
        """Move the lines of a list's items: item `i` of the new list came from item `origins[i]`."""
        if origins == list(range(len(origins))):
            return
        find = self.find_lines
        known = self.__dict__.pop("lines", None)
        self.find_lines = lambda: renumbered(find() if known is None else known, where, origins)
        self.overrides = renumbered(self.overrides, where, origins)
        self.written = renumbered(self.written, where, origins)
        self.places = renumbered(self.places, where, origins)

    def locate(self, where: Where) -> str:
        """The start of a message about a value: the override that set it, or else its file and line."""
        if where not in self.lines:
            for place, label in self.overrides.items():
                if place[: len(where)] == where:
                    return label  # the value exists only because an override set something inside it
        for length in range(len(where), -1, -1):
            prefix = where[:length]
            if prefix in self.overrides:
                return self.overrides[prefix]
            if length and prefix in self.places and prefix not in self.lines:
                return self.places[prefix]
            if prefix in self.lines:
                return f"{self.label}:{self.lines[prefix]}"
        return self.label


def renumbered(places: dict[Where, T], where: Where, origins: list[int]) -> dict[Where, T]:
    """What is known of places, after the items of a list have moved: item `i` came from item `origins[i]`."""
    depth = len(where)
    found: dict[Where, T] = {}
    for place, value in places.items():
        if place[:depth] != where or len(place) == depth:
            found[place] = value
        else:
            for index, origin in enumerate(origins):
                if place[depth] == origin:
                    found[(*where, index, *place[depth + 1 :])] = value
    return found


def plain_mapping(data: object, label: str) -> dict[Any, Any]:
    """Copy a recipe's mapping, and check that it holds only mappings, lists, texts, numbers, booleans and None.

    Raises:
        RecipeError: it is not a mapping, is nested too deeply, or holds a value of another type.
    """
    if data is None:
        raise RecipeError(f"{label}: the recipe is empty; 'prompts: [a sunflower]' alone is a recipe")
    if not isinstance(data, Mapping):
        raise RecipeError(
            f"{label}: a recipe is a mapping such as 'prompts: [a sunflower]', not {kind_of(data)}"
        )
    copied: dict[Any, Any] = plain(data, label)
    return copied


def plain(value: object, label: str, depth: int = 0) -> Any:
    """Copy and check any value, like `plain_mapping`."""
    if depth > MAX_DEPTH:
        raise RecipeError(f"{label}: nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, Mapping):
        return {_key(key, label): plain(each, label, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, label, depth + 1) for each in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str):
        return _text(value, label)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise RecipeError(
        f"{label}: a recipe holds texts, numbers, lists and mappings, not {type(value).__name__}"
    )


def kind_of(value: object) -> str:
    """The type of a value, as messages call it."""
    words = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return words.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


def _key(key: object, label: str) -> str | int:
    if isinstance(key, str):
        return _text(key, label)
    if isinstance(key, int) and not isinstance(key, bool):
        return key
    raise RecipeError(f"{label}: {key!r} cannot be a key; put it in quotes")


def _text(text: str, label: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RecipeError(f"{label}: a text holds half a surrogate pair, which is no character") from None
    return text
