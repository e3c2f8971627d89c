"""In what recipes differ from the default recipe."""

from __future__ import annotations

from typing import Any

from pixforge.recipe import load_recipe
from pixforge.recipe.differences import ABSENT, Difference, differences
from pixforge.recipe.formats.dump import dump_flow
from pixforge.recipe.resolve import plain_recipe
from pixforge.recipe.words import path_text

_OWN = {"prompts", "seed", "files", "version", "extends", "include", "based_on", "plugins", "requires"}
"""What every recipe has of its own, or says nothing about the picture."""
_MOST, _LONGEST = 60, 80


class Defaults:
    """Knows the default recipe; reads it once."""

    def __init__(self) -> None:
        recipe = load_recipe({"prompts": ["a"], "seed": 0}, trust="none")
        self._plain = _rest(plain_recipe(recipe, None))

    def differences(self, plain: dict[str, Any]) -> list[str]:
        """The prompts, then a line for each value of a resolved recipe that is not the default."""
        found = [f"prompts: {_prompt(each)}" for each in _list(plain.get("prompts"))]
        return found + [_line(each) for each in differences(self._plain, _rest(plain))][:_MOST]


def short(value: Any) -> str:
    """A value of a recipe on one line: of a component its name."""
    if value is ABSENT:
        return "none"
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        return str(value["type"])
    text = value if isinstance(value, str) else dump_flow(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def merged(plain: dict[str, Any]) -> dict[str, Any]:
    """The recipe with its size as one value."""
    size = plain.get("size")
    return {**plain, "size": "x".join(map(str, size))} if isinstance(size, list) else plain


def _line(each: Difference) -> str:
    return f"{path_text(each.where)}: {short(each.old)} \N{RIGHTWARDS ARROW} {short(each.new)}"


def _rest(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in merged(plain).items() if key not in _OWN}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _prompt(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    weight = value.get("weight", 1)
    text = value.get("text")
    if not isinstance(text, str):
        return ", ".join(f"{key}: {each}" for key, each in value.items() if key != "type")
    return text if weight in (1, 1.0) else f"{text} (weight {weight})"
