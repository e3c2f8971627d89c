"""The files that a recipe names, by what is in them: a picture that has changed makes another picture."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pixforge.recipe.errors import Problem
from pixforge.recipe.model import Recipe
from pixforge.recipe.resolve import named_files


def changed_files(recipe: Recipe) -> Iterator[Problem]:
    """Every file that is not the one of which the recipe holds the hash."""
    places = named_files(recipe)
    for name, digest in recipe.files.items():
        if name in places and digest_of(recipe.context.folder / name) not in {digest, None}:
            yield Problem(
                places[name],
                f"{name} is not the file that the recipe was made with (SHA-256 {digest[:12]}...); "
                "--set files={} takes it as it is now",
            )


def with_hashes(recipe: Recipe) -> Recipe:
    """The recipe with the hashes of all files that it names."""
    found = {name: digest_of(recipe.context.folder / name) for name in named_files(recipe)}
    hashes = {name: digest for name, digest in found.items() if digest is not None}
    return recipe.model_copy(update={"files": hashes}) if hashes != recipe.files else recipe


def digest_of(path: Path) -> str | None:
    """SHA-256 in hexadecimal digits; None when the file cannot be read."""
    with suppress(OSError, ValueError), path.open("rb") as file:
        digest = hashlib.sha256()
        while data := file.read(2**20):
            digest.update(data)
        return digest.hexdigest()
    return None
