"""What is different about runs."""

from __future__ import annotations

from typing import Any

import yaml

from pixforge.tools import ABSENT, differences, path_text
from pixforge_studio.recipes import flow

MOST_RUNS = 4
_MOST, _LONGEST = 300, 300
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNSAID = {"version", "files", "based_on"}


def compared(texts: list[str]) -> list[dict[str, Any]]:
    """Where recipes differ: each `where`, and `values` with a text for each recipe, empty where it has none."""
    recipes = [_plain(text) for text in texts]
    places: dict[str, list[str]] = {}
    for number, recipe in enumerate(recipes[1:], start=1):
        for each in differences(recipes[0], recipe):
            if each.where and each.where[0] not in _UNSAID:
                row = places.setdefault(path_text(each.where), [_text(each.old)] * len(texts))
                row[number] = _text(each.new)
    return [{"where": where, "values": values} for where, values in list(places.items())[:_MOST]]


def _plain(text: str) -> dict[str, Any]:
    try:
        found = yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return "" if value is ABSENT else flow(value)[:_LONGEST]
