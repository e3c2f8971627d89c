"""From a source to a resolved recipe."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pixforge.ordinary_files import is_file
from pixforge.plugins.kinds import kind_of_hook
from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Entry, Registry
from pixforge.recipe.aspects import shape
from pixforge.recipe.claims import clashes
from pixforge.recipe.complaints import misplaced_regions, unfit_components, unknown_models
from pixforge.recipe.compose import compose, context_of
from pixforge.recipe.defaults import SUITED
from pixforge.recipe.digests import changed_files, with_hashes
from pixforge.recipe.errors import Problem, problems_of, raise_problems
from pixforge.recipe.formats.document import Document, RecipeText
from pixforge.recipe.formats.read import read
from pixforge.recipe.layers import add_layers
from pixforge.recipe.model import Origin, Recipe
from pixforge.recipe.overrides import Override, apply, as_overrides
from pixforge.recipe.prompt_list import open_prompts
from pixforge.recipe.requirements import (
    changed_plugins,
    check_loaded,
    check_requirements,
    files_beside,
    plugin_files,
)
from pixforge.recipe.resolve import missing_files
from pixforge.recipe.starts import suited, usual
from pixforge.recipe.tagged import IMAGE_SUFFIXES
from pixforge.recipe.trust import Trust, check_trust, folder_beside
from pixforge.recipe.unroll import film_problems, open_scenes, open_story
from pixforge.recipe.wildcards import draw_wildcards

log = logging.getLogger(__name__)

_PATH = re.compile(r"([A-Za-z]:[\\/]|/|~|\.\.?[\\/]|https?://)")
"""How paths and addresses begin, whether there is such a file or not."""


def load_recipe(
    source: str | Path | RecipeText | Mapping[str, Any],
    overrides: Mapping[str, Any] | Iterable[Override] | None = None,
    *,
    disabled: Iterable[str] = (),
    check_files: bool = True,
    trust: Trust = "written",
    presets: Sequence[str] = (),
    aspect: str | None = None,
    scale: float | None = None,
    defaults: str | Path | None = None,
) -> Recipe:
    """Read, validate and resolve a recipe: all defaults filled in, the seed drawn when there is none.

    Args:
        source: a file (YAML, TOML, JSON, or a picture or video that pixforge made), `-` for standard input, or the
            recipe itself as a mapping, or as a `RecipeText`.
        overrides: values by path, such as `{"steps": 100, "generator.type": "pixels"}`.
        disabled: plugins to leave out, by name.
        check_files: refuse files that are not those of which the recipe holds the hash, and take the hash of all;
            else the hashes stay as they are.
        trust: which plugin files may run. They are programs: `written` runs those of a recipe that somebody wrote, `all`
            also those of a recipe inside a picture, video or checkpoint, `none` no file at all. Those that `overrides`
            name run anyway.
        presets: laid over the recipe: draft, normal, better, best, or one of the views, such as vqgan-clip.
        aspect: `widescreen` or another word, a ratio such as `16:9`, or `retain`, the start picture's: the size of the recipe gets
            it, and keeps its area.
        scale: multiplies the sides.
        defaults: a recipe that is laid under this one, such as `pixforge.recipe.layers.defaults_file()`; the commands
            `run` and `check` take that, a program does not unless it says so.

    Raises:
        RecipeError: it cannot be read or does not validate; one located line for each problem.
        PluginError: a plugin that it needs is broken, or not trusted.
    """
    document = read(source)
    add_layers(
        document,
        may_read=_reads_files(document, trust),
        presets=presets,
        defaults=None if defaults is None else Path(defaults),
    )
    changes = as_overrides(overrides)
    _override(document, (each for each in changes if each.field not in SUITED), trust)
    shape(document, aspect, scale, fixed=any(re.match(r"size\b", each.path) for each in changes))
    check_trust(document, trust)
    if check_files:
        raise_problems(document, changed_plugins(document))
    registry = _load_registry(document, tuple(disabled), trust)
    _override_suited(document, changes, registry)
    raise_problems(document, open_story(document, files=_reads_files(document, trust)))
    drawn = _draw(document, trust)  # before the first scene of a loop is there twice
    raise_problems(document, open_scenes(document, registry))
    recipe = _suited(_validate(document, registry, drawn=drawn), document)
    _warn_of_pictures(recipe)
    if not check_files:
        return recipe
    raise_problems(document, changed_files(recipe))
    return with_hashes(recipe)


def _override(document: Document, overrides: Iterable[Override], trust: Trust) -> None:
    """Set the values; short forms of prompts are opened before a path leads into their list."""
    files = _reads_files(document, trust)
    open_prompts(document, files=files)
    for override in overrides:
        apply(document, [override])
        if override.path.startswith(("prompts", "scenes")):
            open_prompts(document, files=files)
    _forget_empty(document)


def _override_suited(document: Document, overrides: Iterable[Override], registry: Registry) -> None:
    """Set values in lists whose default is known when all else is: it depends on the generator, or on there being a film."""
    changes = [each for each in overrides if each.field in SUITED]
    apply(document, changes, lambda field: usual(field, document, registry))
    _forget_empty(document)


def _forget_empty(document: Document) -> None:
    """A field without a value (`filters:` with nothing below) is as good as none."""
    document.data = {key: value for key, value in document.data.items() if value is not None}


def _draw(document: Document, trust: Trust) -> bool:
    """Draw wildcards by the seed, which no override changes any more; False where there are none."""
    files = _reads_files(document, trust)
    open_prompts(document, files=files)
    return draw_wildcards(document, own=files)


def _reads_files(document: Document, trust: Trust) -> bool:
    """Whether prompts, stories and wildcards may come from files, which a stranger's recipe could name."""
    return trust != "none" and not document.carried


def read_again(plain: dict[str, Any], folder: str, name: str) -> Recipe:
    """The recipe that was pickled as plain data with absolute paths.

    Raises:
        RecipeError: a file that it names is not there, or is another one.
    """
    recipe = load_recipe(plain, trust="all")
    return recipe.with_origin(replace(recipe.origin, folder=Path(folder), name=name))


def read_resolved(plain: dict[str, Any], like: Recipe) -> Recipe:
    """A resolved recipe as plain data with absolute paths, with the plugins of another recipe, which are not loaded again.

    Raises:
        RecipeError: it does not validate, or a file that it names is not there or is another one.
    """
    document = read(plain)
    recipe = _validate(document, like.origin.registry)
    raise_problems(document, (Problem(*each) for each in missing_files(recipe)))
    raise_problems(document, changed_files(recipe))
    return recipe


def _warn_of_pictures(recipe: Recipe) -> None:
    """The name of a picture's file among the prompts is a text, which is rarely what was meant."""
    for prompt in recipe.prompts:
        text = getattr(prompt, "text", "").strip()
        is_picture = text.lower().endswith(IMAGE_SUFFIXES)
        if is_picture and (_PATH.match(text) or is_file(recipe.origin.folder / text)):
            log.warning("prompts: '%s' is read as a text; {image: %s} means the picture", text, text)


def _load_registry(document: Document, disabled: tuple[str, ...], trust: Trust) -> Registry:
    files, missing = plugin_files(document)
    raise_problems(document, [*check_requirements(document), *missing])
    plugins = load_plugins(disabled, files, beside=files_beside(folder_beside(document, trust), files))
    registry = Registry(plugins)
    check_loaded(document, plugins)
    return registry


def _validate(document: Document, registry: Registry, *, drawn: bool = False) -> Recipe:
    try:
        known = context_of(registry, document.folder)
        recipe = compose(registry, document.data).model_validate(document.data, context=known)
    except ValidationError as error:
        raise_problems(document, problems_of(error, document, registry))
        raise
    return recipe.with_origin(Origin(registry, document.folder, document.name, read_again, drawn))


def _suited(recipe: Recipe, document: Document) -> Recipe:
    """The recipe with what suits its start.

    Raises:
        RecipeError: its parts do not fit each other, or files that it names are missing.
    """
    raise_problems(document, (Problem(*each) for each in missing_files(recipe)))
    raise_problems(document, clashes(recipe))
    raise_problems(document, film_problems(recipe))
    recipe = suited(_with_plugins_beside(recipe, document))
    raise_problems(document, unknown_models(recipe))
    raise_problems(document, [*unfit_components(recipe), *misplaced_regions(recipe)])
    return recipe


def _with_plugins_beside(recipe: Recipe, document: Document) -> Recipe:
    """Name the files beside the recipe that take part, so that the resolved recipe finds them from anywhere."""
    if document.beside is None:
        return recipe
    registry = recipe.origin.registry
    plugins = registry.plugins
    used = {entry.plugin.name for entry in _entries(recipe, registry)}
    used |= {
        name for name in plugins.names() if any(kind_of_hook(hook) is None for hook in plugins.hooks_of(name))
    }
    named = {str(document.folder / text) for text in recipe.plugins}
    files = [Path(info.source) for name, info in plugins.infos.items() if name in used]
    found = [file for file in files if file.parent == document.beside and str(file) not in named]
    paths = [file.relative_to(document.folder).as_posix() for file in found]
    return recipe.model_copy(update={"plugins": [*recipe.plugins, *paths]}) if paths else recipe


def _entries(recipe: Recipe, registry: Registry) -> Iterator[Entry]:
    for kind, config in recipe.components():
        yield registry.of(config, kind)
