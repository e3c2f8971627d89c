"""Everything that is wrong with a recipe at once: where, what, and what would work."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pixforge.contracts import Config
from pixforge.errors import RecipeError
from pixforge.plugins.kinds import kind_of_field
from pixforge.plugins.registry import Registry
from pixforge.recipe.compose import members_of
from pixforge.recipe.formats.document import Document, Where, kind_of
from pixforge.recipe.meant import FIELDS
from pixforge.recipe.model import Recipe
from pixforge.recipe.tagged import TAG_ERROR
from pixforge.recipe.words import path_text, shown, suggest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MISSING_PROMPTS = "missing; say what the picture should show, such as prompts: [a sunflower]"
_SHOULD = re.compile(r"^(Input|String|List|Tuple|Set|Dictionary|Value|Data) should\b")
_INSTANCE = re.compile(r" or instance of \w+")
_LIST = re.compile(r" \((?:fields|known): [^()]*\)$")
_WORDS = {
    "a valid tuple": "a list",
    "a valid boolean": "true or false",
    "a valid ": "a ",
    "an integer": "a whole number",
    "integer": "whole number",
    "string": "text",
    "dictionary": "mapping",
    " after validation": "",
}


@dataclass(frozen=True)
class Problem:
    """Something wrong with the value at a place."""

    where: Where
    message: str


def raise_problems(document: Document, problems: Iterable[Problem]) -> None:
    """Raise when there are any, in the order of the file.

    Raises:
        RecipeError: one line for each place.
    """
    messages: dict[Where, list[str]] = {}
    for problem in problems:
        known = messages.setdefault(document.as_written(problem.where), [])
        if problem.message not in known:
            known.append(problem.message)
    order = sorted(messages, key=lambda where: _line(document, where))
    if order:
        lines = [_text(document, where, " or ".join(messages[where])) for where in order]
        # In a notebook the chain of pydantic's own error would be thirty lines before this.
        raise RecipeError("\n".join(_listed_once(lines))) from None


def problems_of(error: ValidationError, document: Document, registry: Registry) -> list[Problem]:
    """What pydantic found, in a recipe writer's words."""
    return [_Translator(document.data, registry).translate(each) for each in error.errors(include_url=False)]


def _listed_once(lines: list[str]) -> Iterator[str]:
    """The same long list of what is known, at the end of a line, is of use once."""
    seen = set()
    for line in lines:
        found = _LIST.search(line)
        yield line[: found.start()] if found and found[0] in seen else line
        seen.add(found[0] if found else "")


def _line(document: Document, where: Where) -> int:
    for length in range(len(where), -1, -1):
        if where[:length] in document.lines:
            return document.lines[where[:length]]
    return 0


def _text(document: Document, where: Where, message: str) -> str:
    path = f"{path_text(where)}: " if where else ""
    return f"{document.locate(where)}: {path}{message}"


class _Translator:
    def __init__(self, data: dict[Any, Any], registry: Registry) -> None:
        self._data = data
        self._registry = registry

    def translate(self, error: ErrorDetails) -> Problem:
        kind = error["type"]
        where, tag = self._without_tag(tuple(error["loc"]))
        if kind == TAG_ERROR:
            return Problem((*where, "type"), error["msg"])
        if kind in {"extra_forbidden", "missing"}:
            return Problem(where, self._field_message(kind, where, tag))
        return Problem(self._real(where), message_of(error))

    def _without_tag(self, where: Where) -> tuple[Where, str | None]:
        """Pydantic puts the tag of the chosen component after the place of the component."""
        found = kind_of_field(where[0]) if where else None
        if found is None:
            return where, None
        index = 2 if found.many else 1
        if len(where) <= index:
            return where, None
        return where[:index] + where[index + 1 :], str(where[index])

    def _real(self, where: Where) -> Where:
        """Without the parts that name a member of a union, and not a value."""
        kept: Where = ()
        value: Any = self._data
        for part in where:
            holds = (
                part in value
                if isinstance(value, dict)
                else isinstance(value, list) and part in range(len(value))
            )
            if holds:
                value = value[part]
            if holds or len(kept) < 1:
                kept = (*kept, part)
        return kept

    def _field_message(self, kind: str, where: Where, tag: str | None) -> str:
        if kind == "missing":
            return _MISSING_PROMPTS if where == ("prompts",) else "missing"
        owner, config = self._owner(where, tag)
        known = [name for name in config.model_fields if name != "type" or not config.keyed] if config else []
        word = str(where[-1])[:99]
        meant = FIELDS.get(word.lower().replace("-", "_")) if config is Recipe else None
        return f"{owner} has no field {shown(where[-1])}{suggest(word, known, 'fields', meant=meant)}"

    def _owner(self, where: Where, tag: str | None) -> tuple[str, type[Config] | None]:
        found = kind_of_field(where[0])
        if tag is None or found is None:
            return "a recipe", Recipe
        direct = len(where) == (3 if found.many else 2)
        entry = self._registry.get(found.name, tag)
        plugin = f" of {entry.plugin}" if entry else ""
        return f"{found.name} '{tag}'{plugin}", members_of(found.name, self._registry).get(
            tag
        ) if direct else None


def message_of(error: ErrorDetails) -> str:
    """What pydantic found, in our words."""
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if error["type"] == "literal_error":
        known = [word.strip("'") for word in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return f"unknown value {shown(error['input'])}{suggest(str(error['input'])[:99], known)}"
    expected, count = _SHOULD.subn("must", _INSTANCE.sub("", message))
    for word, ours in _WORDS.items():
        expected = expected.replace(word, ours) if count else expected
    if not count or ", not " in expected:
        return expected
    value = error["input"]
    return f"{expected}, not {kind_of(value) if isinstance(value, dict | list) else shown(value)}"
