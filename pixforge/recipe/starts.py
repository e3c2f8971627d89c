"""What a recipe leaves out, and what its run starts from decides: generator, cutouts, losses and learning rate."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from pixforge.contracts import Generator, Schedule
from pixforge.plugins.registry import Registry
from pixforge.recipe.compose import compose, context_of
from pixforge.recipe.defaults import COARSE, DEFAULTS, FILM, FROM_CODES, FROM_NOISE
from pixforge.recipe.formats.document import Document
from pixforge.recipe.model import Recipe

_WORDS = ("text", "labels")
"""Kinds of prompts that say in words what is wanted."""


def suited(recipe: Recipe) -> Recipe:
    """The recipe with what suits its start."""
    recipe = _with_generator(recipe, recipe.origin.registry)
    return _with_learning_rate(_with_coarse_steps(_with_views(recipe)))


def usual(field: str, document: Document, registry: Registry) -> Any:
    """What a recipe that is not validated yet has in a field that it leaves out; None where that is unknown."""
    data = document.data
    if field in FILM and (data.get("film") is not None or data.get("scenes") is not None):
        return FILM[field]
    from_codes = field in FROM_CODES and "generator" in data and _says_codes(document, registry)
    return (FROM_CODES if from_codes else DEFAULTS).get(field)


def _says_codes(document: Document, registry: Registry) -> bool:
    data = document.data
    said = {key: data[key] for key in ("generator", "init", "perceptors", "cutouts") if data.get(key)}
    said["prompts"] = ["any"]
    try:
        recipe = compose(registry, said).model_validate(said, context=context_of(registry, document.folder))
    except ValidationError:
        return False  # told when the whole recipe is validated
    return _starts_from_codes(_with_generator(recipe, registry), registry)


def _starts_from_noise(recipe: Recipe) -> bool:
    return bool(getattr(recipe.init, "type", "") == FROM_NOISE["init"])


def _is_embedded(recipe: Recipe) -> bool:
    """Whether no other perceptor looks than the default one."""
    known = [(each["type"], each["model"]) for each in DEFAULTS["perceptors"]]
    return all((getattr(each, "type", ""), getattr(each, "model", "")) in known for each in recipe.perceptors)


def _with_generator(recipe: Recipe, registry: Registry) -> Recipe:
    """The default start is a sample of what the embedded perceptor knows, and the default generator goes on from it.

    Other runs start from noise, or as they say, with the generator that suits a start from nothing.
    """
    named = recipe.model_fields_set
    generator: Any = registry.of(recipe.generator, "generator").component
    start = getattr(recipe.init, "type", "")
    wanted = {}
    if "init" not in named and not (_is_embedded(recipe) and generator.encode is not Generator.encode):
        start = FROM_NOISE["init"]
        wanted["init"] = registry.get("init", start)
    if "generator" not in named and start != DEFAULTS["init"]["type"]:
        wanted["generator"] = registry.get("generator", FROM_NOISE["generator"])
    return recipe.model_copy(update={name: entry.config_type() for name, entry in wanted.items() if entry})


def _starts_from_codes(recipe: Recipe, registry: Registry) -> bool:
    """Whether a run starts from random codes, and the recipe has no cutouts of another kind than these want."""
    component: Any = registry.of(recipe.generator, "generator").component
    own = getattr(recipe.cutouts, "type", "") != FROM_CODES["cutouts"]["type"]
    return bool(component.starts_full and _starts_from_noise(recipe)) and not (
        own and "cutouts" in recipe.model_fields_set
    )


def _with_views(recipe: Recipe) -> Recipe:
    """What perceptors see, and what holds the picture together, where a run starts from random codes."""
    registry, named = recipe.origin.registry, recipe.model_fields_set
    cutouts, given = FROM_CODES["cutouts"], recipe.cutouts
    if not _starts_from_codes(recipe, registry):
        return recipe
    # A preset, for one, names the number of the cutouts alone.
    said = {name: getattr(given, name) for name in given.model_fields_set} if "cutouts" in named else {}
    # What was said is valid already, and a curve would not be known any more.
    filled = type(given).model_validate(cutouts).model_copy(update=said)
    wanted: dict[str, Any] = {"cutouts": filled}
    for field, kind in (("augmentations", "augmentation"), ("losses", "loss")):
        entries = [(registry.get(kind, each["type"]), each) for each in FROM_CODES[field]]
        if field not in named:
            wanted[field] = [entry.config_type.model_validate(each) for entry, each in entries if entry]
    return recipe.model_copy(update=wanted)


def _with_coarse_steps(recipe: Recipe) -> Recipe:
    """Most steps at half the width and height, where the default generator goes on from a sample of all that is wanted.

    Not where something of the picture or its latent has to stay, or is followed from step to step.
    """
    generator, least = recipe.generator, min(DEFAULTS["size"])
    plain = (
        getattr(generator, "type", "") == DEFAULTS["generator"]["type"]
        and generator.model_fields_set <= {"type"}
        and getattr(recipe.init, "type", "") == DEFAULTS["init"]["type"]
        and getattr(recipe.init, "begin", None) is None
        and _is_embedded(recipe)
        and min(recipe.size) >= least
        and _shows_all(recipe)
        and all(each.where is None for each in recipe.prompts)
        and not recipe.edits
    )
    followed = [getattr(each, "type", "").startswith("latent") for each in recipe.losses]
    if not plain or any(followed):
        return recipe
    return recipe.model_copy(update={"generator": generator.model_copy(update={"coarse": COARSE})})


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
