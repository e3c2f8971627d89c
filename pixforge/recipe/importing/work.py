"""The settings that are left, the recipe so far, and what has no counterpart."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from pixforge.errors import RecipeError
from pixforge.plugins.registry import Registry
from pixforge.recipe.prompt_list import short_prompts

OFF: tuple[Any, ...] = (None, "", False, 0, "0", "none", "None", [], {})


_NUMBER = r"(?::\s*(-?\d{1,6}(?:\.\d{1,6})?)\s*)?"
_BRACKETS = re.compile(rf"\[([^\[\]]+)\]\s*{_NUMBER}{_NUMBER}")
"""A picture with its weight and its stop."""


class Work:
    """Moves settings into a recipe one by one.

    Args:
        settings: by name; each that is taken is gone.
        registry: says which components and models there are.
    """

    def __init__(self, settings: dict[str, Any], registry: Registry) -> None:
        self.registry = registry
        self._settings = dict(settings)
        self.recipe: dict[str, Any] = {}
        self.notes: list[tuple[str, Any, str]] = []
        self.remarks: list[str] = []
        self.pictures_in_brackets = False
        """Whether the prompt `[photo.png]:2` names a picture, as in pytti."""

    def take(self, *names: str) -> Any:
        """The value of the first of these that is there, else None; all are gone."""
        values = [self._settings.pop(name) for name in names if name in self._settings]
        return next((value for value in values if value is not None), None)

    def is_file(self, name: str, path: Any) -> bool:
        """Whether this names a file; an address of the web gets a note."""
        if not isinstance(path, str) or path.strip() in {"", "none", "None"}:
            return False
        if "://" in path:
            self.note(name, path, "pixforge fetches no pictures; save it, and name the file")
            return False
        return True

    def number(self, *names: str, low: float, high: float, whole: bool = False) -> Any:
        """A number in a range, else None, and a note where it is none."""
        given = next((name for name in names if name in self._settings), names[0])
        value = self.take(*names)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.note(given, value, "is not a plain number, and nothing is evaluated")
            return None
        if not math.isfinite(value) or not low <= value <= high:
            self.note(given, value, f"lies outside {low:g} to {high:g}")
            return None
        return int(value) if whole else value

    def put(self, name: str, value: Any) -> None:
        """Set a field of the recipe, unless the value is None."""
        if value is not None:
            self.recipe[name] = value

    def note(self, name: str, value: Any, reason: str) -> None:
        """Name a setting that is not, or not quite, translated."""
        self.notes.append((name, value, reason))

    def prompts(self, value: Any, weight: float | None = None) -> None:
        """Texts in the form `text:weight:stop | text`, one or a list."""
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, int | float) and not isinstance(text, bool):
                text = str(text)  # `1984` is a text like others
            if not isinstance(text, str) or not text.strip():
                continue
            if self.pictures_in_brackets and (picture := _BRACKETS.fullmatch(text.strip())):
                self._picture(picture)
                continue
            try:
                found = short_prompts(text.strip().strip("|"))
            except RecipeError as error:
                self.note("prompt", text, str(error))
                continue
            known = self.recipe.setdefault("prompts", [])
            known += found if weight is None else [_weighted(each, weight) for each in found]

    def _picture(self, found: re.Match[str]) -> None:
        """A prompt that is a picture, matched by place."""
        path, *numbers = found.groups()
        if not self.is_file("prompt", path):
            return
        prompt: dict[str, Any] = {"image": path.strip(), "layout": True}
        for name, number in zip(("weight", "stop"), numbers, strict=True):
            if number is not None:
                prompt[name] = float(number)
        self.recipe.setdefault("prompts", []).append(prompt)

    def rest(self, reasons: Mapping[str, str]) -> None:
        """Note all that nobody took. What is switched off needs no counterpart."""
        for name, value in self._settings.items():
            if not any(value is off or (value == off and type(value) is type(off)) for off in OFF):
                self.note(name, value, reasons.get(name, "pixforge has no such setting"))
        self._settings.clear()

    def each(self, names: Mapping[str, Callable[[Any], None]]) -> None:
        """Call a function with the value of each setting that is there."""
        for name, action in names.items():
            if (value := self.take(name)) is not None:
                action(value)


def _weighted(prompt: Any, weight: float) -> dict[str, Any]:
    """A prompt with a weight, by which one of its own is multiplied."""
    plain: dict[str, Any] = {"text": prompt} if isinstance(prompt, str) else prompt
    return {**plain, "weight": plain.get("weight", 1) * weight}


def listed(value: Any, separator: str | None) -> list[Any]:
    """What a setting lists: a list, or a text with separators; `,` and `|` give texts."""
    if value is None or value == "":
        return []
    if isinstance(value, str) and separator:
        return [each.strip() for each in value.split(separator) if each.strip()]
    if separator in {",", "|"}:
        return [
            str(each).strip() for each in (value if isinstance(value, list) else [value]) if each is not True
        ]
    return list(value) if isinstance(value, list) else [value]
