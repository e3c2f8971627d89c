"""Compose the recipe type from what the plugins have registered."""

from __future__ import annotations

import inspect
import secrets
from copy import deepcopy
from typing import Annotated, Any

from pydantic import Field, create_model

from pixforge.contracts import Config
from pixforge.recipe.defaults import DEFAULTS
from pixforge.recipe.model import Recipe
from pixforge.recipe.optimizers import OPTIMIZERS
from pixforge.recipe.tagged import Tagged
from pixforge.registry import Registry

KIND_OF_FIELD = {
    "generator": "generator",
    "init": "init",
    "cutouts": "cutouts",
    "optimizer": "optimizer",
    "perceptors": "perceptor",
    "augmentations": "augmentation",
    "losses": "loss",
    "filters": "filter",
    "exporters": "exporter",
}
"""Which kind of component stands in a field; fields that are plurals hold lists, `cutouts` is one strategy."""


def compose(registry: Registry) -> type[Recipe]:
    """The recipe with the components of these plugins, and with all defaults."""
    fields = {name: _field(name, registry) for name in Recipe.model_fields if name != "prompts"}
    doc = inspect.getdoc(Recipe)
    model: type[Recipe] = create_model("Recipe", __base__=Recipe, __doc__=doc, **fields)  # type: ignore[call-overload]
    return model


def draw_seed() -> int:
    """A seed for a recipe that names none: 31 bits, short enough to be typed."""
    return secrets.randbits(31)


def members_of(kind: str, registry: Registry) -> dict[str, type[Config]]:
    """The configurations of a kind by tag; optimizers are torch's, not plugins'."""
    if kind == "optimizer":
        return dict(OPTIMIZERS)
    return {entry.tag: entry.config_type for entry in registry.entries(kind)}


def _field(name: str, registry: Registry) -> tuple[Any, Any]:
    base = Recipe.model_fields[name]
    annotation: Any = base.annotation
    for metadata in base.metadata:
        annotation = Annotated[annotation, metadata]
    if name in KIND_OF_FIELD:
        tagged = _tagged(KIND_OF_FIELD[name], registry)
        one = Annotated[Any, tagged.marker()]
        annotation = list[one] if name in Recipe.LISTS else one
        if name == "perceptors":
            annotation = Annotated[annotation, Field(min_length=1)]
    if name == "seed":
        return annotation, Field(default_factory=draw_seed, description=base.description)
    return annotation, Field(deepcopy(DEFAULTS[name]), description=base.description)


def _tagged(kind: str, registry: Registry) -> Tagged:
    members = members_of(kind, registry)
    if kind == "optimizer":
        docs = {tag: inspect.getdoc(config) or tag for tag, config in members.items()}
    else:
        docs = {entry.tag: entry.doc for entry in registry.entries(kind)}
    broken = [str(failure) for failure in registry.plugins.failures]
    note = (
        f"; a plugin that might have it is broken: {'; '.join(broken)}"
        if broken and kind != "optimizer"
        else ""
    )
    return Tagged(kind, members, docs, note, images=kind == "init" and "image" in members)
