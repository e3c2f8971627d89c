"""From a source to a resolved recipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pixforge.contracts import Generator, Schedule
from pixforge.plugins import load_plugins
from pixforge.recipe.compose import KIND_OF_FIELD, compose
from pixforge.recipe.defaults import DEFAULTS, FROM_NOISE
from pixforge.recipe.digests import changed_files, with_hashes
from pixforge.recipe.document import Document
from pixforge.recipe.errors import Problem, problems_of, raise_problems
from pixforge.recipe.model import Context, Recipe
from pixforge.recipe.overrides import Override, apply, as_overrides
from pixforge.recipe.read import read
from pixforge.recipe.requirements import (
    check_loaded,
    check_requirements,
    files_beside,
    plugin_files,
    refuse_carried,
)
from pixforge.recipe.resolve import missing_files
from pixforge.registry import HOOKS, Entry, Registry


def load_recipe(
    source: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | Iterable[Override] | None = None,
    *,
    disabled: Iterable[str] = (),
    check_files: bool = True,
    trust_plugins: bool = False,
) -> Recipe:
    """Read, validate and resolve a recipe: all defaults filled in, the seed drawn when there is none.

    Args:
        source: a file (YAML, TOML, JSON, or a picture or video that pixforge made), `-` for standard input, or the
            recipe itself as a mapping.
        overrides: values by path, such as `{"steps": 100, "generator.type": "pixels"}`.
        disabled: plugins to leave out, by name.
        check_files: refuse files that are not those of which the recipe holds the hash, and take the hash of all;
            else the hashes stay as they are.
        trust_plugins: load the files that a recipe inside a picture, video or checkpoint names under `plugins`. They
            are programs, and whoever made the picture chose them; those of a recipe that somebody wrote, or that
            `overrides` name, are loaded anyway.

    Raises:
        RecipeError: it cannot be read or does not validate; one located line for each problem.
        PluginError: a plugin that it needs is broken, or not trusted.
    """
    document = read(source)
    apply(document, as_overrides(overrides))
    # A field without a value (`filters:` with nothing below) is as good as none.
    document.data = {key: value for key, value in document.data.items() if value is not None}
    if not trust_plugins:
        refuse_carried(document)
    registry = _load_registry(document, tuple(disabled))
    recipe = _validate(document, registry)
    raise_problems(
        document, (Problem(where, f"there is no file {path}") for where, path in missing_files(recipe))
    )
    recipe = _with_learning_rate(_with_start(_with_plugins_beside(recipe, document)))
    if not check_files:
        return recipe
    raise_problems(document, changed_files(recipe))
    return with_hashes(recipe)


def _load_registry(document: Document, disabled: tuple[str, ...]) -> Registry:
    files, missing = plugin_files(document)
    raise_problems(document, [*check_requirements(document), *missing])
    plugins = load_plugins(disabled, files, beside=files_beside(document, files))
    registry = Registry(plugins)
    check_loaded(document, plugins)
    return registry


def _validate(document: Document, registry: Registry) -> Recipe:
    try:
        recipe = compose(registry).model_validate(document.data)
    except ValidationError as error:
        raise_problems(document, problems_of(error, document, registry))
        raise
    return recipe.with_context(Context(registry, document.folder, document.name))


def _with_plugins_beside(recipe: Recipe, document: Document) -> Recipe:
    """Name the files beside the recipe that take part, so that the resolved recipe finds them from anywhere."""
    if document.beside is None:
        return recipe
    registry = recipe.context.registry
    plugins = registry.plugins
    used = {entry.plugin.name for entry in _entries(recipe, registry)}
    used |= {name for name in plugins.names() if set(plugins.hooks_of(name)) - set(HOOKS)}
    named = {str(document.folder / text) for text in recipe.plugins}
    files = [Path(info.source) for name, info in plugins.infos.items() if name in used]
    found = [file for file in files if file.parent == document.beside and str(file) not in named]
    paths = [file.relative_to(document.folder).as_posix() for file in found]
    return recipe.model_copy(update={"plugins": [*recipe.plugins, *paths]}) if paths else recipe


def _entries(recipe: Recipe, registry: Registry) -> Iterator[Entry]:
    for name, kind in KIND_OF_FIELD.items():
        if kind != "optimizer":
            value = getattr(recipe, name)
            yield from (registry.of(each, kind) for each in (value if isinstance(value, list) else [value]))


def _with_start(recipe: Recipe) -> Recipe:
    """The default start is a sample of what the embedded perceptor knows, and the default generator goes on from it.

    Other runs start from noise, or as they say, with the generator that suits a start from nothing.
    """
    registry, named = recipe.context.registry, recipe.model_fields_set
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


def _with_learning_rate(recipe: Recipe) -> Recipe:
    optimizer = recipe.optimizer
    if optimizer.learning_rate is not None:
        return recipe
    component: Any = recipe.context.registry.of(recipe.generator, "generator").component
    rate = component.learning_rate
    if getattr(recipe.init, "type", "") != FROM_NOISE["init"] and component.refining_rate is not None:
        rate = component.refining_rate
    return recipe.model_copy(
        update={"optimizer": optimizer.model_copy(update={"learning_rate": Schedule(rate)})}
    )
