"""A recipe with several values of some fields: the recipes of its combinations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pixforge
from pixforge.errors import RecipeError
from pixforge.tools import Axis, check_axes, combinations, parse_values, shown

_PATH = re.compile(r"([a-z_]+)(\.\w+|\[\d+\])*")
MOST = 200
"""Recipes of a sweep."""
_NOT = ("plugins", "include", "extends", "requires", "files", "version", "based_on")
"""What a caller sets is trusted, so that `plugins` would run programs."""


def recipes_of(text: str, values: dict[str, Any], folder: Path) -> list[tuple[str, str]]:
    """A recipe and what is special about it, for each combination of values, which are as on the command line.

    Raises:
        PixforgeError: something is not valid, or there are too many.
    """
    if not values or not all(isinstance(each, str) for each in values.values()):
        raise RecipeError("values must be a mapping of paths to texts such as 1,2,3 or 0..1:5")
    for path in values:
        match = _PATH.fullmatch(path)
        if match is None or match[1] in _NOT:
            raise RecipeError(f"{path!r:.80} cannot be varied here")
    axes = [
        Axis((path,), tuple((each,) for each in parse_values(line, path)), path)
        for path, line in values.items()
    ]
    check_axes(axes)
    found = combinations(axes, None, latin=False, seed=0)
    if len(found) > MOST:
        raise RecipeError(
            f"the sweep has {len(found)} runs, and may have {MOST} here; `pixforge sweep` makes more"
        )
    return [_recipe(text, axes, each, folder) for each in found]


def _recipe(text: str, axes: list[Axis], choice: tuple[int, ...], folder: Path) -> tuple[str, str]:
    changes = {axis.paths[0]: axis.values[index][0] for axis, index in zip(axes, choice, strict=True)}
    recipe = pixforge.load_recipe(pixforge.RecipeText(text, folder), changes, trust="none", check_files=False)
    words = ", ".join(f"{path}={shown(value)}" for path, value in changes.items())
    return recipe.resolved_yaml(folder), words
