"""Compose the recipe type from what the plugins have registered."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, create_model

from pixforge.contracts import Config
from pixforge.plugins.kinds import Kind
from pixforge.plugins.registry import Registry
from pixforge.recipe.defaults import DEFAULTS, FROM_CODES, FROM_NOISE
from pixforge.recipe.model import Recipe
from pixforge.recipe.tagged import Tagged


def compose(registry: Registry, data: Any = None) -> type[Recipe]:
    """The recipe with the components of these plugins, and with all defaults.

    With the data that it will validate, only the members that these may name are built: most recipes name ten of 120. The
    registry keeps it for the next recipe that names the same, as those of a sweep do.
    """
    words = (
        None
        if data is None
        else registry.words.intersection(_words([data, dict(DEFAULTS), dict(FROM_NOISE), dict(FROM_CODES)]))
    )
    if words not in registry.composed:
        registry.composed[words] = _compose(registry, words)
    return registry.composed[words]


def context_of(registry: Registry, folder: Path) -> dict[str, Any]:
    """What the validation of a recipe knows besides its data; its paths start at `folder`."""
    return {
        "curves": {entry.tag: entry.component for entry in registry.entries("curve")},
        "folder": folder,
    }


def _compose(registry: Registry, words: frozenset[str] | None) -> type[Recipe]:
    kinds = {kind.field: kind for kind in registry.kinds if kind.field}
    names = dict.fromkeys([*Recipe.model_fields, *kinds])
    fields = {
        name: _component(kinds[name], registry, words) if name in kinds else _field(name) for name in names
    }
    doc = inspect.getdoc(Recipe)
    model: type[Recipe] = create_model("Recipe", __base__=Recipe, __doc__=doc, **fields)  # type: ignore[call-overload]
    return model


def draw_seed() -> int:
    """A seed for a recipe that names none: 31 bits, short enough to be typed."""
    return secrets.randbits(31)


def members_of(kind: str, registry: Registry) -> dict[str, type[Config]]:
    """The configurations of a kind by tag."""
    return {entry.tag: entry.config_type for entry in registry.entries(kind)}


def _field(name: str) -> tuple[Any, Any]:
    base = Recipe.model_fields[name]
    annotation: Any = base.annotation
    for metadata in base.metadata:
        annotation = Annotated[annotation, metadata]
    if name == "seed":
        return annotation, Field(default_factory=draw_seed, description=base.description)
    return annotation, Field(deepcopy(DEFAULTS[name]), description=base.description)


def _words(value: Any) -> Iterator[str]:
    """All texts in data, among them every tag that it names."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Config):
        yield str(getattr(value, "type", ""))
    elif isinstance(value, Mapping):
        yield from _words([*value, *value.values()])
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for each in value:
            yield from _words(each)


def _component(kind: Kind, registry: Registry, words: frozenset[str] | None) -> tuple[Any, Any]:
    """The type and default of a field that names components of a kind."""
    one = Annotated[Any, _tagged(kind, registry, words).marker()]
    annotation: Any = list[one] if kind.many else one
    base = Recipe.model_fields.get(kind.field or "")
    for metadata in base.metadata if base else ():
        annotation = Annotated[annotation, metadata]
    if base is not None and kind.field not in DEFAULTS:
        return annotation, Field(description=kind.doc)
    default = DEFAULTS.get(kind.field or "", [] if kind.many else None)
    return annotation, Field(deepcopy(default), description=kind.doc)


def _tagged(kind: Kind, registry: Registry, words: frozenset[str] | None) -> Tagged:
    docs = {entry.tag: entry.doc for entry in registry.entries(kind.name)}
    broken = [str(failure) for failure in registry.plugins.failures]
    note = f"; a plugin that might have it is broken: {'; '.join(broken)}" if broken else ""
    members = members_of(kind.name, registry)
    images = kind.name == "init" and "image" in members
    return Tagged(
        kind.name, members, docs, note, images=images, keyed=kind.keyed, bare=kind.bare, defaults=_defaults(kind),
        shared=frozenset(kind.config.model_fields) if kind.many else frozenset(), words=words,
    )  # fmt: skip


def _defaults(kind: Kind) -> list[dict[str, Any]]:
    """What a recipe without the field has there, with the embedded perceptor or without."""
    field = kind.field or ""
    found = DEFAULTS.get(field, [])
    others = [{"type": FROM_NOISE[field]}] if field in FROM_NOISE else []
    return [*(found if kind.many else [found]), *others]
