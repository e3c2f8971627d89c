"""Prompts that are the pictures of a folder: `{image: photos}` and `{image: photos/*.png}`."""

from __future__ import annotations

import fnmatch
import os
from itertools import islice
from pathlib import Path
from typing import Any

from pixforge.errors import RecipeError
from pixforge.ordinary_files import is_folder
from pixforge.recipe.tagged import IMAGE_SUFFIXES
from pixforge.recipe.words import shown

MOST_PICTURES = 64
_MOST_NAMES = 100_000
"""How many names in a folder are looked at."""
_MAGIC = frozenset("*?[")


def names_pictures(path: Path) -> bool:
    """Whether this is a folder, or the pattern of file names in one; a file that is there is neither."""
    try:
        return path.is_dir() or (bool(_MAGIC & set(str(path))) and not path.exists())
    except (OSError, ValueError):  # a null byte, or a name that is too long
        return False


def pictures_of(prompt: dict[Any, Any], folder: Path) -> list[dict[Any, Any]]:
    """A prompt for each picture that the `image` of a prompt names, by name; together they have its weight.

    Args:
        prompt: its `image` is a folder or a pattern, as `names_pictures` tells.
        folder: where relative paths start.

    Raises:
        RecipeError: there is no picture, there are too many, or the weight cannot be shared.
    """
    image = str(prompt["image"])
    path = folder / image
    home, pattern = (path, "*") if is_folder(path) else (path.parent, path.name)
    if _MAGIC & set(str(home)) and not is_folder(home):
        raise RecipeError(f"{image}: signs such as * may stand in the names of files, not of folders")
    names = _names(home, pattern, image)
    inside = Path(image) if is_folder(path) else Path(image).parent
    weight = _shared(prompt.get("weight", 1), len(names))
    return [{**prompt, "image": str(inside / name), "weight": weight} for name in names]


def _names(home: Path, pattern: str, image: str) -> list[str]:
    try:
        with os.scandir(home) as entries:
            files = [each.name for each in islice(entries, _MOST_NAMES) if each.is_file()]
    except FileNotFoundError:
        raise RecipeError(f"there is no folder {home}") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecipeError(f"{home}: cannot be read ({reason})") from None
    fitting = [name for name in files if not name.startswith(".") and fnmatch.fnmatchcase(name, pattern)]
    names = sorted(name for name in fitting if name.lower().endswith(IMAGE_SUFFIXES))
    if not names:
        raise RecipeError(f"{image}: there is no picture of that name ({', '.join(IMAGE_SUFFIXES)})")
    if len(names) > MOST_PICTURES:
        raise RecipeError(
            f"{image}: stands for {len(names)} pictures, the limit is {MOST_PICTURES}; name some of them, as "
            "photos/a*.png does"
        )
    return names


def _shared(weight: Any, count: int) -> Any:
    """The weight of each of several prompts that share one: of a number, or of each keyframe."""
    if _is_number(weight):
        return weight / count
    if isinstance(weight, dict) and all(key == "ease" or _is_number(each) for key, each in weight.items()):
        return {key: each if key == "ease" else each / count for key, each in weight.items()}
    raise RecipeError(
        f"weight {shown(weight)}: the pictures of a folder share a number, or keyframes such as {{0: 1, 50%: 0.3}}"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
