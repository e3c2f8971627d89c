"""A recipe as plain data, and where each part of it was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pixforge.errors import RecipeError

Where = tuple[str | int, ...]
"""The way to a value: keys and list indices from the top."""

MAX_DEPTH = 50


@dataclass
class Document:
    """What was read, before it means anything.

    `label` stands for the file in messages, `folder` is where its relative paths start, `name` what a run of it is
    called; `find_lines` is only called once there is an error to locate. `beside` is where
    single-file plugins may lie that it need not name; only what somebody wrote as a recipe has it, no picture.
    `carried` is a recipe that was inside of a picture, a video or a checkpoint, and so may be anyone's.
    """

    data: dict[Any, Any]
    label: str
    folder: Path
    name: str
    find_lines: Callable[[], dict[Where, int]] = dict
    overrides: dict[Where, str] = field(default_factory=dict)
    beside: Path | None = None
    carried: bool = False

    @cached_property
    def lines(self) -> dict[Where, int]:
        """The line of each value, from 1."""
        return self.find_lines()

    def locate(self, where: Where) -> str:
        """What a message about a value begins with: the override that set it, else file and line."""
        if where not in self.lines:
            for place, label in self.overrides.items():
                if place[: len(where)] == where:
                    return label  # an override inside of it made it
        for length in range(len(where), -1, -1):
            prefix = where[:length]
            if prefix in self.overrides:
                return self.overrides[prefix]
            if prefix in self.lines:
                return f"{self.label}:{self.lines[prefix]}"
        return self.label


def plain_mapping(data: object, label: str) -> dict[Any, Any]:
    """A copy of a mapping that consists of mappings, lists, texts, numbers, booleans and nothing else.

    Raises:
        RecipeError: it is not a mapping, is nested too deeply, or holds something that no file can.
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
    """The same for any value."""
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
    """What a value is, in a recipe writer's words."""
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
