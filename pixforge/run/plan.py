"""What going on with a run folder means: from which checkpoint, by which recipe, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError, OutputError, PluginError
from pixforge.recipe import load_recipe
from pixforge.recipe.differences import Difference, differences
from pixforge.recipe.digests import changed_files, with_hashes
from pixforge.recipe.model import Context
from pixforge.recipe.read import read
from pixforge.recipe.resolve import plain_recipe
from pixforge.run.checkpoint import NAME as CHECKPOINT
from pixforge.run.checkpoint import Checkpoint, read_checkpoint
from pixforge.run.runner import RECIPE

if TYPE_CHECKING:
    from pixforge.recipe import Recipe


@dataclass(frozen=True)
class Plan:
    """What is going to be run: `saved` is where it goes on from, `changes` make it a branch."""

    parent: Path
    saved: Checkpoint | None
    recipe: Recipe
    changes: list[Difference]
    doubts: list[str]


def planned(parent: Path, overrides: Any, force: bool, disabled: tuple[str, ...]) -> Plan:
    """See what is there, and what has changed.

    Raises:
        InputError: there is nothing to go on with, or something has changed and `force` is not given.
    """
    saved, edited = read_checkpoint(parent) if parent.is_dir() else None, (parent / RECIPE).is_file()
    if saved is None and not edited:
        raise OutputError(f"{parent}: holds no run to go on with; `pixforge run` starts one")
    source = parent / (CHECKPOINT if saved else RECIPE)
    if saved is not None:
        _check_plugins(parent, edited=edited)
    old = load_recipe(source, disabled=disabled, check_files=False, trust_plugins=True)
    doubts: list[str] = []
    if edited and saved and (parent / RECIPE).read_bytes() != saved.recipe.encode():
        now = load_recipe(parent / RECIPE, disabled=disabled, check_files=False)
        found = _changes(old, now, parent)
        doubts += [f"{RECIPE}: {each}" for each in found]
        source = parent / RECIPE if found else source
    doubts += [problem.message for problem in changed_files(old)]
    new = load_recipe(source, overrides, disabled=disabled, check_files=False, trust_plugins=True)
    new = new.with_context(Context(new.context.registry, new.context.folder, parent.resolve().name))
    if doubts and not force:
        raise refusal(parent, doubts)
    return Plan(parent, saved, with_hashes(new), _changes(old, new, parent), doubts)


def _check_plugins(parent: Path, *, edited: bool) -> None:
    """See that a checkpoint runs only what the recipe beside it names too, which people can read.

    Raises:
        PluginError: it names others.
    """
    known = _plugins(parent / RECIPE) if edited else []
    if others := [name for name in _plugins(parent / CHECKPOINT) if name not in known]:
        raise PluginError(
            f"{parent / CHECKPOINT}: names programs as plugins ({', '.join(map(repr, others[:3]))}) that {RECIPE} beside it "
            "does not; name them there too, if they are yours"
        )


def _plugins(source: Path) -> list[Any]:
    found = read(source).data.get("plugins")
    return found if isinstance(found, list) else []


def _changes(old: Recipe, new: Recipe, folder: Path) -> list[Difference]:
    found = differences(plain_recipe(old, folder), plain_recipe(new, folder))
    return [each for each in found if each.where[0] != "files"]


def refusal(parent: Path, doubts: list[str]) -> InputError:
    """The error that names what has changed."""
    return InputError(
        f"{parent}: has changed since the checkpoint: {'; '.join(doubts)}. --force goes on all the same"
    )
