"""Change single values of a recipe before it is validated: `--set losses.0.weight=2`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pixforge.errors import RecipeError
from pixforge.plugins.kinds import kind_of_field
from pixforge.recipe.defaults import DEFAULTS
from pixforge.recipe.formats.document import Document, Where, kind_of, plain
from pixforge.recipe.formats.yamlfile import parse_yaml
from pixforge.recipe.tagged import spelled_out
from pixforge.recipe.words import path_text, shown

_PART = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True)
class Override:
    """A value for a path such as `generator.type`; `label` is what messages call it."""

    path: str
    value: Any
    label: str

    @property
    def field(self) -> str:
        """The field of the recipe in which the path begins."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


def parse_setting(text: str) -> Override:
    """`path=value`, the value as YAML writes it.

    Raises:
        RecipeError: there is no `=`, or the value is not YAML.
    """
    path, equals, value = text.partition("=")
    label = f"--set {text if len(text) < 60 else f'{text[:57]}...'}"
    if not equals or not path.strip():
        raise RecipeError(f"{label}: write path=value, such as losses.0.weight=2")
    return Override(path.strip(), parse_value(value, label), label)


def parse_value(text: str, label: str) -> Any:
    """A value as YAML writes it.

    Raises:
        RecipeError: it is not YAML; the message begins with `label`.
    """
    return parse_yaml(text, label, located=False).data


def as_overrides(values: Mapping[str, Any] | Iterable[Override] | None) -> list[Override]:
    """From Python's mapping of paths to values, or as they are."""
    if isinstance(values, Mapping):
        return [Override(path, value, f"override {path}={shown(value)}") for path, value in values.items()]
    return list(values or ())


def apply(
    document: Document, overrides: Iterable[Override], usual: Callable[[str], Any] = DEFAULTS.get
) -> None:
    """Set the values, in order, and remember which override set what.

    Naming another `type` drops the fields of the old one.

    Args:
        document: the recipe; it is changed.
        overrides: what to set.
        usual: what a field has that the recipe leaves out and a path leads into; None where that is unknown.

    Raises:
        RecipeError: a path leads nowhere; names the override.
    """
    for override in overrides:
        where = _split(override)
        value = plain(override.value, override.label)
        touched = _set(document.data, where, value, override.label, usual)
        for place in touched:
            document.overrides = {
                key: label for key, label in document.overrides.items() if key[: len(place)] != place
            }
            document.overrides[place] = override.label


def _split(override: Override) -> list[str]:
    parts, end = [], 0
    for match in _PART.finditer(override.path):
        if match.start() != end:
            break
        parts.append(match[1] or match[2])
        end = match.end()
    if end != len(override.path) or not parts:
        raise RecipeError(
            f"{override.label}: '{override.path}' is not a path such as generator.type or losses.0.weight"
        )
    return parts


def _set(
    data: dict[Any, Any], parts: list[str], value: Any, label: str, usual: Callable[[str], Any]
) -> list[Where]:
    holder: Any = data
    where: Where = ()
    for part in parts[:-1]:
        if holder is data and data.get(part) is None:
            found = None if _is_component((part,)) else usual(part)
            data[part] = {} if found is None else deepcopy(found)
        key = _key(holder, part, where, label)
        child = holder.get(key, {}) if isinstance(holder, dict) else holder[key]
        where = (*where, key)
        holder[key] = holder = _opened(child, where, label)
    key = _key(holder, parts[-1], where, label)
    if _is_component(where) and key == "type" and _is_other(holder, where, value):
        holder.clear()
        holder[key] = value
        return [where]
    holder[key] = value
    return [(*where, key)]


def _key(holder: Any, part: str, where: Where, label: str) -> str | int:
    if isinstance(holder, dict):
        return int(part) if part.isascii() and part.isdigit() and int(part[:9]) in holder else part
    last = len(holder) - 1
    if not (part.isascii() and part.isdigit()) or int(part[:9]) > last:
        numbers = f"an index from 0 to {last}" if last >= 0 else "no items"
        raise RecipeError(f"{label}: {path_text(where)} is a list with {numbers}, so '{part}' is none of it")
    return int(part[:9])


def _opened(value: Any, where: Where, label: str) -> Any:
    """The mapping or list to go on in; a bare word is opened up to the mapping that it stands for."""
    if isinstance(value, str) and _is_component(where):
        return spelled_out(where[0], value)
    if value is None:
        return {}
    if not isinstance(value, dict | list):
        raise RecipeError(
            f"{label}: {path_text(where)} is {kind_of(value)}, {shown(value)}, and has nothing inside"
        )
    return value


def _is_other(holder: dict[Any, Any], where: Where, tag: Any) -> bool:
    """Whether a component is known to be another than `tag`, or there is none; one that does not say keeps its fields."""
    kind = kind_of_field(where[0])
    if "type" in holder or not holder:
        return bool(holder.get("type") != tag)
    return kind is not None and kind.keyed and tag not in holder


def _is_component(where: Where) -> bool:
    """Whether a `{type: ...}` stands there."""
    kind = kind_of_field(where[0]) if where else None
    return kind is not None and len(where) == (2 if kind.many else 1)
