"""Hashes of the files that a recipe names, because a changed input file changes the result."""

from __future__ import annotations

from collections.abc import Iterator

from pixforge.errors import InputError
from pixforge.recipe.digest import digest_of, digest_of_row
from pixforge.recipe.errors import Problem
from pixforge.recipe.model import Recipe
from pixforge.recipe.resolve import named_files, named_rows


def changed_files(recipe: Recipe) -> Iterator[Problem]:
    """Yield a problem for each file whose content differs from the hash in the recipe."""
    places, rows = named_files(recipe), named_rows(recipe)
    for name, digest in recipe.files.items():
        if name not in places:
            continue
        try:
            found = (digest_of_row if name in rows else digest_of)(recipe.origin.folder / name)
        except PermissionError as error:
            yield Problem(places[name][0], f"{name}: cannot be read ({error.strerror})")
            continue
        if found not in {digest, None}:
            yield Problem(
                places[name][0],
                f"{name}{' and what follows it' if name in rows else ''} is not the file that the recipe was made with (SHA-256 {digest[:12]}...); "
                "--set files={} takes it as it is now",
            )


def with_hashes(recipe: Recipe) -> Recipe:
    """A copy of the recipe with the present hashes of all files that it names."""
    try:
        rows = named_rows(recipe)
        found = {
            name: (digest_of_row if name in rows else digest_of)(recipe.origin.folder / name)
            for name in named_files(recipe)
        }
    except PermissionError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror})") from None
    hashes = {name: digest for name, digest in found.items() if digest is not None}
    return recipe.model_copy(update={"files": hashes}) if hashes != recipe.files else recipe
