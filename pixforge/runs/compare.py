"""In what two recipes, run folders or pictures differ, as lines for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pixforge.errors import InputError, RecipeError
from pixforge.recipe import Recipe, load_recipe
from pixforge.recipe.differences import differences
from pixforge.recipe.digests import with_hashes
from pixforge.recipe.formats.read import read
from pixforge.recipe.resolve import plain_recipe
from pixforge.recipe.trust import Trust
from pixforge.runs.folder import RECIPE
from pixforge.runs.manifest import NAME, read_manifest

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
VIDEOS = (".mp4", ".webm", ".gif")
Load = Callable[[Path, "dict[str, Any] | None"], Recipe]


def compare(
    a: str | Path, b: str | Path, *, disabled: Iterable[str] = (), trust: Trust = "written"
) -> list[str]:
    """A line for each difference; none when there is none.

    Raises:
        InputError: they cannot be read, are of different kinds, or name plugin files that may not run.
    """
    first, second = Path(a), Path(b)
    for path in (first, second):
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder")
    if first.is_dir() != second.is_dir():
        raise InputError("a folder cannot be compared with a file; name two folders, or two files")
    load = partial(load_recipe, disabled=tuple(disabled), check_files=False, trust=trust)
    if first.is_dir():
        return list(_folders(first, second, load))
    kinds = [
        {path.suffix.lower() in PICTURES: "picture", path.suffix.lower() in VIDEOS: "video"}.get(True)
        for path in (first, second)
    ]
    alike = kinds[0] is not None and kinds[0] == kinds[1]
    found = list(_files(first, second)) if alike else []
    return found + list(_recipes(first, second, load, optional=alike))


def _folders(a: Path, b: Path, load: Load) -> Iterator[str]:
    for path in (a, b):
        if not (path / RECIPE).is_file():
            raise InputError(f"{path}: holds no run: there is no {RECIPE}")
    yield from _recipes(a / RECIPE, b / RECIPE, load)
    one, two = read_manifest(a), read_manifest(b)
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
    elif a.suffix.lower() in VIDEOS:
        yield from _videos(a, b)


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

    from pixforge.media.images import read_image

    one, two = (np.asarray(read_image(path)) for path in (a, b))
    label = a.name if a.name == b.name else f"{a} and {b}"
    if one.shape != two.shape:
        sizes = [f"{each.shape[1]} x {each.shape[0]}" for each in (one, two)]
        yield f"{label}: {sizes[0]} -> {sizes[1]} pixels"
        return
    total = differing = most = 0
    for upper, lower in zip(
        one, two, strict=True
    ):  # row by row, since a picture may fill a part of the memory
        apart = np.abs(upper.astype(np.int16) - lower)
        total += int(apart.sum())
        differing += int((apart.max(axis=1) > 0).sum())
        most = max(most, int(apart.max()))
    if most:
        height, width, channels = one.shape
        share, mean = differing / (height * width), total / (height * width * channels)
        yield f"{label}: {share:.1%} of the pixels differ, by {mean:.2f} of 255 on average and {most} at most"


def _videos(a: Path, b: Path) -> Iterator[str]:
    """Compare the frames; the files may differ where these do not, since each holds its recipe."""
    import numpy as np

    from pixforge.media.video import frames

    label = a.name if a.name == b.name else f"{a} and {b}"
    counts, apart, total, first = [0, 0], 0, 0.0, 0
    for one, two in zip_longest(frames(a), frames(b)):
        counts = [count + (frame is not None) for count, frame in zip(counts, (one, two), strict=True)]
        if one is None or two is None:
            continue
        if one.shape != two.shape:
            sizes = [f"{each.shape[1]} x {each.shape[0]}" for each in (one, two)]
            yield f"{label}: {sizes[0]} -> {sizes[1]} pixels"
            return
        if not np.array_equal(one, two):
            first = first or counts[0]
            apart += 1
            total += float(np.abs(one.astype(np.int16) - two).mean())
    if counts[0] != counts[1]:
        yield f"{label}: {counts[0]} -> {counts[1]} frames"
    if apart:
        yield (
            f"{label}: {apart} of {min(counts)} frames differ, the first is number {first}, "
            f"by {total / apart:.2f} of 255 on average"
        )
