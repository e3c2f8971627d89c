"""What going on with a run folder means: from which checkpoint, by which recipe, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError, OutputError, PluginError
from pixforge.recipe import load_recipe
from pixforge.recipe.differences import Difference, differences
from pixforge.recipe.digests import changed_files, with_hashes
from pixforge.recipe.formats.read import read
from pixforge.recipe.requirements import changed_plugins
from pixforge.recipe.resolve import plain_recipe
from pixforge.runs.checkpoint import NAME as CHECKPOINT
from pixforge.runs.checkpoint import Checkpoint, read_checkpoint
from pixforge.runs.folder import RECIPE
from pixforge.runs.metrics import NAME as METRICS
from pixforge.runs.metrics import changed_metrics

if TYPE_CHECKING:
    from pixforge.recipe import Recipe


@dataclass(frozen=True)
class Continuation:
    """What is going to be run: `saved` is where it goes on from, `changes` make it a branch."""

    parent: Path
    saved: Checkpoint | None
    recipe: Recipe
    changes: list[Difference]
    objections: list[str]


def find_continuation(parent: Path, overrides: Any, force: bool, disabled: tuple[str, ...]) -> Continuation:
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
    if not force and (changed := _changed_plugins(parent, source, edited=edited and saved is not None)):
        raise refusal(parent, changed)
    old = load_recipe(source, disabled=disabled, check_files=False, trust="all")
    if saved is not None and saved.facts.step > old.steps:
        raise InputError(
            f"{source}: is no checkpoint of this run: it is of step {saved.facts.step}, but the run has {old.steps} steps"
        )
    objections = changed_metrics(parent / METRICS, saved.facts.metrics) if saved is not None else []
    if edited and saved and (parent / RECIPE).read_bytes() != saved.recipe.encode():
        now = load_recipe(parent / RECIPE, disabled=disabled, check_files=False)
        found = _changes(old, now, parent)
        objections += [f"{RECIPE}: {each}" for each in found]
        source = parent / RECIPE if found else source
    objections += [problem.message for problem in changed_files(old)]
    new = load_recipe(source, overrides, disabled=disabled, check_files=False, trust="all")
    new = new.with_origin(replace(new.origin, name=parent.resolve().name))
    if objections and not force:
        raise refusal(parent, objections)
    return Continuation(parent, saved, with_hashes(new), _changes(old, new, parent), objections)


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


def _changed_plugins(parent: Path, source: Path, *, edited: bool) -> list[str]:
    """What has changed about plugin files, found before any of them is run."""
    found = [problem.message for problem in changed_plugins(read(source))]
    if edited and (more := [name for name in _plugins(parent / RECIPE) if name not in _plugins(source)]):
        found.append(f"{RECIPE}: plugins has gained {', '.join(map(repr, more[:3]))}")
    return found


def _plugins(source: Path) -> list[Any]:
    found = read(source).data.get("plugins")
    return found if isinstance(found, list) else []


def _changes(old: Recipe, new: Recipe, folder: Path) -> list[Difference]:
    found = differences(plain_recipe(old, folder), plain_recipe(new, folder))
    return [each for each in found if each.where[0] != "files"]


def refusal(parent: Path, objections: list[str]) -> InputError:
    """The error that names what has changed."""
    return InputError(
        f"{parent}: has changed since the checkpoint: {'; '.join(objections)}. --force goes on all the same"
    )


def entry(saved: Checkpoint | None, **facts: Any) -> dict[str, Any]:
    """What `run.json` says about one piece of a run: from which step on, since when, and facts about it."""
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"step": saved.facts.step if saved else 0, "at": at, **facts}
