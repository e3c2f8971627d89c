"""What a recipe leaves out, and what its run starts from decides: generator, cutouts, losses and learning rate."""

from __future__ import annotations

from typing import Any

from pixforge.contracts import Generator, Schedule
from pixforge.recipe.defaults import DEFAULTS, FROM_CODES, FROM_NOISE
from pixforge.recipe.model import Recipe

_WORDS = ("text", "labels")
"""Kinds of prompts that say in words what is wanted."""


def suited(recipe: Recipe) -> Recipe:
    """The recipe with what suits its start."""
    return _with_learning_rate(_with_views(_with_generator(recipe)))


def _starts_from_noise(recipe: Recipe) -> bool:
    return bool(getattr(recipe.init, "type", "") == FROM_NOISE["init"])


def _with_generator(recipe: Recipe) -> Recipe:
    """The default start is a sample of what the embedded perceptor knows, and the default generator goes on from it.

    Other runs start from noise, or as they say, with the generator that suits a start from nothing.
    """
    registry, named = recipe.origin.registry, recipe.model_fields_set
    known = [(each["type"], each["model"]) for each in DEFAULTS["perceptors"]]
    same = all((getattr(each, "type", ""), getattr(each, "model", "")) in known for each in recipe.perceptors)
    generator: Any = registry.of(recipe.generator, "generator").component
    start = getattr(recipe.init, "type", "")
    wanted = {}
    if "init" not in named and not (same and generator.encode is not Generator.encode):
        start = FROM_NOISE["init"]
        wanted["init"] = registry.get("init", start)
    if "generator" not in named and start != DEFAULTS["init"]["type"]:
        wanted["generator"] = registry.get("generator", FROM_NOISE["generator"])
    return recipe.model_copy(update={name: entry.config_type() for name, entry in wanted.items() if entry})


def _with_views(recipe: Recipe) -> Recipe:
    """What perceptors see, and what holds the picture together, where a run starts from random codes."""
    registry, named = recipe.origin.registry, recipe.model_fields_set
    component: Any = registry.of(recipe.generator, "generator").component
    cutouts, given = FROM_CODES["cutouts"], recipe.cutouts
    own = "cutouts" in named and getattr(given, "type", "") != cutouts["type"]
    if own or not component.starts_full or not _starts_from_noise(recipe):
        return recipe
    # A preset, for one, names the number of the cutouts alone.
    said = given.model_dump(exclude_unset=True) if "cutouts" in named else {}
    wanted: dict[str, Any] = {"cutouts": type(given).model_validate({**cutouts, **said})}
    for field, kind in (("augmentations", "augmentation"), ("losses", "loss")):
        entries = [(registry.get(kind, each["type"]), each) for each in FROM_CODES[field]]
        if field not in named:
            wanted[field] = [entry.config_type.model_validate(each) for entry, each in entries if entry]
    return recipe.model_copy(update=wanted)


def _shows_all(recipe: Recipe) -> bool:
    """Whether the run is after nothing but what its start was drawn for: words, which stay the same all the time."""
    init: Any = recipe.origin.registry.of(recipe.init, "init").component
    if not init.draws or getattr(recipe.init, "text", None) is not None or recipe.film is not None:
        return False
    return all(
        getattr(each, "type", "") in _WORDS and each.weight.constant is not None for each in recipe.prompts
    )


def _with_learning_rate(recipe: Recipe) -> Recipe:
    optimizer = recipe.optimizer
    if optimizer.learning_rate is not None:
        return recipe
    registry = recipe.origin.registry
    component: Any = registry.of(recipe.generator, "generator").component
    rate = component.learning_rate
    if component.refining_rate is not None and not _starts_from_noise(recipe):
        rate = component.refining_rate
        if _shows_all(recipe):
            # However many steps: farther from a good drawing, the thing is drawn once more into its own parts.
            rate = float(f"{rate * min(1, DEFAULTS['steps'] / max(1, recipe.steps)):.3g}")
    return recipe.model_copy(
        update={"optimizer": optimizer.model_copy(update={"learning_rate": Schedule(rate)})}
    )
