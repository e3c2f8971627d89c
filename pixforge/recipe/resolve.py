"""The resolved recipe as text, and the fields in it that name files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from pixforge.contracts import Schedule
from pixforge.contracts.paths import PathMark
from pixforge.ordinary_files import is_file, is_folder
from pixforge.recipe.formats.document import Where
from pixforge.recipe.formats.dump import dump_yaml
from pixforge.recipe.words import suggest

if TYPE_CHECKING:
    from pixforge.models.catalog import Catalog
    from pixforge.recipe.model import Recipe


def resolved_yaml(recipe: Recipe, folder: Path | None) -> str:
    """Every value of the recipe, with paths that work from `folder` (absolute when it is None)."""
    return dump_yaml(plain_recipe(recipe, folder))


def plain_recipe(recipe: Recipe, folder: Path | None) -> dict[str, Any]:
    """The same as plain data, the hashes of the files that it names among it."""
    move = partial(_moved, start=recipe.origin.folder, folder=folder, catalog=recipe.origin.registry.catalog)
    plain = _plain_model(recipe, move)
    files = {move(name, PathMark()): digest for name, digest in recipe.files.items()}
    for name in ("extends", "include", "based_on"):
        if not plain[name]:
            del plain[name]
    return {**plain, "files": dict(sorted(files.items()))}


def named_files(recipe: Recipe) -> dict[str, tuple[Where, PathMark]]:
    """Every file that the recipe must have, as it names it: where it does so first, and what the file is there."""
    return {name: (where, mark) for where, name, mark in reversed(list(_walk(recipe, ())))}


def named_rows(recipe: Recipe) -> set[str]:
    """Those of them that stand for themselves and for the pictures after them."""
    return {name for _, name, mark in _walk(recipe, ()) if mark.row}


def missing_files(recipe: Recipe) -> Iterator[tuple[Where, str]]:
    """Where the recipe names a file that is not there, and what to say of it."""
    start = recipe.origin.folder
    for name, (where, mark) in named_files(recipe).items():
        path = start / name
        if is_folder(path):
            row = "" if mark.names else ", of a row of pictures the first"
            yield where, f"{path} is a folder; name a file{row}"
        elif not is_file(path):
            yield where, f"there is no file {path}{suggest(Path(name).name, mark.names, 'without a file')}"


def _walk(model: BaseModel, where: Where) -> Iterator[tuple[Where, str, PathMark]]:
    """Where a model names a file that it must have, how, and what it is."""
    for name, field in type(model).model_fields.items():
        mark = _mark(field)
        for place, value in _leaves(getattr(model, name), (*where, field.alias or name)):
            if isinstance(value, Schedule) and value.curve is not None:
                yield from _walk(value.curve.config, place)
            elif isinstance(value, BaseModel):
                yield from _walk(value, place)
            elif isinstance(value, str) and mark is not None and mark.required and value not in mark.names:
                yield place, value, mark


def _leaves(value: Any, where: Where) -> Iterator[tuple[Where, Any]]:
    if isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _leaves(each, (*where, index))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, (*where, key))
    else:
        yield where, value


def _plain_model(model: BaseModel, move: Callable[[str, PathMark], str]) -> dict[str, Any]:
    dumped = model.model_dump(mode="python")
    fields = type(model).model_fields
    result = {}
    tag = fields["type"].default if getattr(type(model), "keyed", False) else None
    for name in sorted(fields, key=lambda name: name not in {"type", tag}):
        field, value = fields[name], getattr(model, name)
        if value is None and field.default is None:
            continue  # absent says the same
        if name == "type" and tag is not None:
            continue  # a key of that name says it
        mark = _mark(field)
        change = _mover(move, mark) if mark is not None else str
        result[field.alias or name] = _plain(value, dumped.get(name), change, move)
    return result


def _plain(
    value: Any, dumped: Any, change: Callable[[str], str], move: Callable[[str, PathMark], str]
) -> Any:
    """Plain data; `dumped` is what pydantic makes of the value, which knows its serializers."""
    if isinstance(value, Schedule) and value.curve is not None:
        return _plain_model(value.curve.config, move)
    if isinstance(value, BaseModel):
        return _plain_model(value, move)
    if isinstance(value, list | tuple) and isinstance(dumped, list | tuple):
        return [_plain(each, part, change, move) for each, part in zip(value, dumped, strict=True)]
    if isinstance(dumped, dict):
        return {key: _plain(each, each, change, move) for key, each in dumped.items()}
    if isinstance(dumped, str) and not isinstance(dumped, Enum):
        return change(dumped)
    return dumped if isinstance(dumped, bool | int | float | None) else to_jsonable_python(dumped)


def _mark(field: FieldInfo) -> PathMark | None:
    """The mark of a field, also where it stands inside `... | None` or `list[...]`."""
    marks = [each for each in field.metadata if isinstance(each, PathMark)]
    return next(iter([*marks, *_marks_in(field.annotation)]), None)


def _marks_in(annotation: Any) -> Iterator[PathMark]:
    yield from (each for each in getattr(annotation, "__metadata__", ()) if isinstance(each, PathMark))
    for argument in get_args(annotation):
        yield from _marks_in(argument)


def _mover(move: Callable[[str, PathMark], str], mark: PathMark) -> Callable[[str], str]:
    return lambda text: move(text, mark)


def _moved(text: str, mark: PathMark, start: Path, folder: Path | None, catalog: Catalog) -> str:
    """A path of the recipe as it reads from `folder`; a name stays as it is."""
    if text in mark.names:
        return text
    prefix = mark.prefix if mark.prefix and text.startswith(mark.prefix) else ""
    plain = text.removeprefix(prefix)
    path = start / plain
    if not plain or not (is_file(path) and (not mark.suffixes or path.suffix.lower() in mark.suffixes)):
        # A folder that is called like a model means the model.
        as_folder = mark.folders and is_folder(path) and bool(prefix or not catalog.knows(plain))
        if not plain or not as_folder:
            return text
    whole = path.resolve()
    if path.is_dir() and path.name not in {
        "",
        "..",
    }:  # a linked folder keeps its name, by which the run calls the model
        whole = path.parent.resolve() / path.name
    if folder is None:
        return prefix + whole.as_posix()
    try:
        moved = Path(os.path.relpath(whole, folder.resolve())).as_posix()
    except ValueError:  # another drive
        return prefix + whole.as_posix()
    return f"{prefix}./{moved}" if not prefix and catalog.knows(moved) else prefix + moved
