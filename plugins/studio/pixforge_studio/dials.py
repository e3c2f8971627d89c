"""What of a run may be changed while it goes on: the numbers and texts that people turn most."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixforge
from pixforge.errors import PixforgeError

RECIPE = "recipe.yaml"
MOST = 50
"""Changes at once."""
FIELDS = (
    "prompts",
    "losses",
    "optimizer",
    "steps",
    "cutouts",
    "augmentations",
    "filters",
    "edits",
    "stop",
    "checkpoint",
)
_TURNED = re.compile(rf"({'|'.join(FIELDS)})(\.\w+)*")
"""Paths of changes. Values that a caller gives are trusted, so that `plugins` would run programs."""


def dials(run: Path) -> list[dict[str, Any]]:
    """Each with its `path` in the recipe, a `label` and its `value`; those with keyframes are left to the text."""
    try:
        recipe = pixforge.load_recipe(run / RECIPE, trust="none", check_files=False)
    except PixforgeError:
        return []
    return list(_dials(recipe))


def _dials(recipe: Any) -> Iterator[dict[str, Any]]:
    for number, prompt in enumerate(recipe.prompts):
        if prompt.type == "text":
            yield {"path": f"prompts.{number}.text", "label": f"Prompt {number + 1}", "value": prompt.text}
        yield from _constant(f"prompts.{number}.weight", f"Weight of prompt {number + 1}", prompt.weight)
    for number, loss in enumerate(recipe.losses):
        yield from _constant(f"losses.{number}.weight", f"Weight of {loss.type}", loss.weight)
    yield from _constant("optimizer.learning_rate", "Learning rate", recipe.optimizer.learning_rate)


def _constant(path: str, label: str, value: Any) -> Iterator[dict[str, Any]]:
    number = value.constant if isinstance(value, pixforge.Schedule) else value
    if isinstance(number, int | float):
        yield {"path": path, "label": label, "value": number}


def refusal(run: Path, changes: dict[str, Any]) -> str | None:
    """Why a run cannot go on with other values; plugin files are not run. None where it can."""
    if bad := [path for path in changes if not _TURNED.fullmatch(path)]:
        return (
            f"{bad[0]!r:.80} cannot be changed while it runs; {', '.join(FIELDS)} and what is below them can"
        )
    try:
        pixforge.load_recipe(run / RECIPE, changes, trust="none", check_files=False)
    except PixforgeError as error:
        return "; ".join(each.message for each in error.problems) or str(error)
    return None
