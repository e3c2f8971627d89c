"""In what two recipes, run folders or pictures differ, as lines for a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pixforge.errors import InputError, RecipeError
from pixforge.recipe import Recipe, load_recipe
from pixforge.recipe.differences import differences
from pixforge.recipe.digests import with_hashes
from pixforge.recipe.read import read
from pixforge.recipe.resolve import plain_recipe
from pixforge.run.manifest import NAME
from pixforge.run.runner import RECIPE

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
VIDEOS = (".mp4", ".webm", ".gif")
Load = Callable[[Path, "dict[str, Any] | None"], Recipe]


def compare(
    a: str | Path, b: str | Path, *, disabled: Iterable[str] = (), trust_plugins: bool = False
) -> list[str]:
    """A line for each difference; none when there is none.

    Raises:
        InputError: they cannot be read, are of different kinds, or name plugins without `trust_plugins`.
    """
    first, second = Path(a), Path(b)
    for path in (first, second):
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder")
    if first.is_dir() != second.is_dir():
        raise InputError("a folder cannot be compared with a file; name two folders, or two files")
    load = partial(load_recipe, disabled=tuple(disabled), check_files=False, trust_plugins=trust_plugins)
    if first.is_dir():
        return list(_folders(first, second, load))
    both = [path.suffix.lower() in PICTURES for path in (first, second)]
    found = list(_pictures(first, second)) if all(both) else []
    return found + list(_recipes(first, second, load, optional=all(both)))


def _folders(a: Path, b: Path, load: Load) -> Iterator[str]:
    for path in (a, b):
        if not (path / RECIPE).is_file():
            raise InputError(f"{path}: holds no run: there is no {RECIPE}")
    yield from _recipes(a / RECIPE, b / RECIPE, load)
    one, two = _manifest(a), _manifest(b)
    for part in (
        "status",
        "steps_done",
        "versions",
        "weights",
        "device",
        "precision",
        "final",
        "held_out_score",
    ):
        yield from (f"{NAME}: {each}" for each in differences(one.get(part), two.get(part), (part,)))
    names = {path.name for folder in (a, b) for path in folder.iterdir() if not path.name.startswith(".")}
    for name in sorted(names):
        yield from _files(a / name, b / name)


def _files(a: Path, b: Path) -> Iterator[str]:
    for one, other in ((a, b), (b, a)):
        if not one.exists():
            yield f"{one.name}: only in {other.parent}"
            return
    if a.suffix.lower() in PICTURES:
        yield from _pictures(a, b)
    elif a.suffix.lower() in VIDEOS and a.read_bytes() != b.read_bytes():
        yield f"{a.name}: not the same video"


def _recipes(a: Path, b: Path, load: Load, *, optional: bool = False) -> Iterator[str]:
    try:
        one, two = _plain(a, load), _plain(b, load)
    except RecipeError:
        if optional:
            return
        raise
    yield from (f"recipe: {each}" for each in differences(one, two))


def _plain(path: Path, load: Load) -> dict[str, Any]:
    """The resolved recipe; a seed that it does not name is not drawn, which would always differ."""
    drawn = read(path).data.get("seed") is None
    recipe = load(path, {"seed": 0} if drawn else None)
    plain = plain_recipe(recipe if recipe.files else with_hashes(recipe), None)
    return {**plain, "seed": "drawn"} if drawn else plain


def _pictures(a: Path, b: Path) -> Iterator[str]:
    import numpy as np

    from pixforge.images import read_image

    one, two = (np.asarray(read_image(path), dtype=np.int16) for path in (a, b))
    label = a.name if a.name == b.name else f"{a} and {b}"
    if one.shape != two.shape:
        sizes = [f"{each.shape[1]} x {each.shape[0]}" for each in (one, two)]
        yield f"{label}: {sizes[0]} -> {sizes[1]} pixels"
        return
    apart = np.abs(one - two)
    if apart.any():
        share = (apart.max(axis=2) > 0).mean()
        yield (
            f"{label}: {share:.1%} of the pixels differ, by {apart.mean():.2f} of 255 on average and {apart.max()} at most"
        )


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
