"""What components find wrong with their part of a recipe, before anything is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pixforge.contracts import Config
from pixforge.errors import InputError
from pixforge.recipe.errors import Problem
from pixforge.recipe.formats.document import Where
from pixforge.recipe.model import Recipe


def unknown_models(recipe: Recipe) -> Iterator[Problem]:
    """A problem for each component that names a model which nobody knows."""
    registry, folder = recipe.origin.registry, recipe.origin.folder
    for kind, where, config in _placed(recipe):
        component: Any = registry.of(config, kind).component
        try:
            component.check_models(config, registry.catalog, folder)
        except InputError as error:
            yield Problem((*where, "model") if hasattr(config, "model") else where, str(error))


def unfit_components(recipe: Recipe) -> Iterator[Problem]:
    """A problem for each component that does not go with size, steps or film of the recipe."""
    registry = recipe.origin.registry
    for kind, where, config in _placed(recipe):
        component: Any = registry.of(config, kind).component
        try:
            component.check_run(config, recipe)
        except InputError as error:
            yield Problem(where, str(error))


def misplaced_regions(recipe: Recipe) -> Iterator[Problem]:
    """A problem for each region that a filter would move away from the part of the picture that it names."""
    registry = recipe.origin.registry
    movers: list[tuple[int, Any]] = [
        (index, each)
        for index, each in enumerate(recipe.filters)
        if getattr(registry.of(each, "filter").component, "moves", False)
    ]
    for index, each in movers:
        if each.where is not None:
            where = ("filters", index, "where")
            yield Problem(where, f"{each.type} moves the whole picture; leave `where` out")
    for kind, place, config in _placed(recipe) if movers else ():
        if kind in {"prompt", "loss"} and getattr(config, "where", None) is not None:
            name = movers[0][1].type
            yield Problem(
                (*place, "where"),
                f"the filter {name} shows the picture moved, so that a region would lie elsewhere; leave out one of both",
            )


def _placed(recipe: Recipe) -> Iterator[tuple[str, Where, Config]]:
    """Every component with its kind and its place in the recipe."""
    for kind in recipe.origin.registry.kinds:
        if kind.field is None:
            continue
        value: Any = getattr(recipe, kind.field)
        if isinstance(value, list):
            yield from ((kind.name, (kind.field, index), each) for index, each in enumerate(value))
        else:
            yield kind.name, (kind.field,), value
