"""The runs in folders of any kind: a run's, a sweep's, or one with such somewhere inside."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pixforge.errors import InputError, RecipeError, plain_name
from pixforge.recipe.differences import differences
from pixforge.recipe.formats.read import read
from pixforge.recipe.words import path_text
from pixforge.reports.defaults import Defaults, merged, short
from pixforge.reports.facts import read_facts
from pixforge.reports.page import Entry
from pixforge.reports.thumbs import thumb_bytes
from pixforge.runs.folder import RECIPE
from pixforge.runs.manifest import NAME as MANIFEST

MOST, DEEPEST = 2000, 4
"""Runs on a page, and how deep in a folder they are looked for."""
_COLUMNS = 12
_ASIDE = {"files", "based_on", "plugins", "requires", "version", "exporters", "checkpoint"}
"""What says nothing about the picture."""


def find_runs(folders: Sequence[Path]) -> list[Path]:
    """The folders of runs among or below these, each once; links are not followed.

    Raises:
        InputError: one of them is no folder, has no run in it, or there are too many.
    """
    found: dict[Path, None] = {}
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{plain_name(folder)}: there is no such folder")
        own = list(_below(folder, 0))
        if not own:
            raise InputError(f"{plain_name(folder)}: holds no run, and no folder with one")
        found |= dict.fromkeys(own)
        if len(found) > MOST:
            raise InputError(
                f"there are more than {MOST} runs in {plain_name(folder)}; name the folders of fewer"
            )
    return list(found)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / RECIPE).is_file() and (folder / MANIFEST).is_file():
        yield folder
        return
    if depth < DEEPEST:
        try:
            names = sorted(each.name for each in os.scandir(folder) if each.is_dir(follow_symlinks=False))
        except OSError:
            return
        for name in names:
            if not name.startswith("."):
                yield from _below(folder / name, depth + 1)


def entries_of(folders: Sequence[Path]) -> list[Entry]:
    """Each run as an entry of the page; the columns are the paths in which their recipes differ."""
    names = _names(folders)
    recipes = [_recipe(folder) for folder in folders]
    paths = _differing(recipes)
    defaults = Defaults()
    entries = []
    for folder, name, recipe in zip(folders, names, recipes, strict=True):
        facts = read_facts(folder, name)
        settings = {
            path_text(where): short(found) for where in paths if (found := _value(recipe, where)) is not None
        }
        parts = recipe.get("based_on")
        before = [each for each in parts if isinstance(each, str)] if isinstance(parts, list) else []
        entries.append(
            Entry(
                facts,
                thumb_bytes(facts.pictures),
                settings,
                defaults.differences(recipe),
                origin="; ".join(before) or None,
            )
        )
    return entries


def _names(folders: Sequence[Path]) -> list[str]:
    """Without what all paths begin with."""
    whole = [folder.resolve() for folder in folders]
    if len(whole) == 1:
        return [whole[0].name]
    common = Path(os.path.commonpath(whole))
    return [path.relative_to(common).as_posix() for path in whole]


def _recipe(folder: Path) -> dict[str, Any]:
    try:
        return merged(read(folder / RECIPE).data)
    except RecipeError:
        return {}


def _differing(recipes: Sequence[dict[str, Any]]) -> list[tuple[str | int, ...]]:
    """The paths in which the recipes differ from the first one, in its order."""
    found: dict[tuple[str | int, ...], None] = {}
    plain = [{key: value for key, value in recipe.items() if key not in _ASIDE} for recipe in recipes]
    for other in plain[1:]:
        found |= dict.fromkeys(each.where for each in differences(plain[0], other))
    return list(found)[:_COLUMNS]


def _value(data: Any, where: Sequence[str | int]) -> Any:
    for part in where:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data
