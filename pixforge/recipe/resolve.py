"""The resolved recipe as text, and the fields in it that name files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from pixforge.contracts.paths import PathMark
from pixforge.recipe.document import Where
from pixforge.recipe.dump import dump_yaml
from pixforge.recipe.model import Recipe


def resolved_yaml(recipe: Recipe, folder: Path | None) -> str:
    """Every value of the recipe, with paths that work from `folder` (absolute when it is None)."""
    return dump_yaml(plain_recipe(recipe, folder))


def plain_recipe(recipe: Recipe, folder: Path | None) -> dict[str, Any]:
    """The same as plain data, the hashes of the files that it names among it."""
    move = partial(_moved, start=recipe.context.folder, folder=folder)
    plain = _plain_model(recipe, move)
    return {**plain, "files": dict(sorted((move(name), digest) for name, digest in recipe.files.items()))}


def named_files(recipe: Recipe) -> dict[str, Where]:
    """Every file that the recipe must have, as it names it, and where."""
    found: list[tuple[Where, str]] = []
    _walk(recipe, (), found)
    return {name: where for where, name in reversed(found)}


def missing_files(recipe: Recipe) -> Iterator[tuple[Where, Path]]:
    """Every file that the recipe names and that is not there."""
    start = recipe.context.folder
    for name, where in named_files(recipe).items():
        if not _exists(start / name):
            yield where, start / name


def _walk(model: BaseModel, where: Where, found: list[tuple[Where, str]]) -> None:
    for name, field in type(model).model_fields.items():
        mark = _mark(field)
        for place, value in _leaves(getattr(model, name), (*where, name)):
            if isinstance(value, BaseModel):
                _walk(value, place, found)
            elif isinstance(value, str) and mark is not None and mark.required:
                found.append((place, value))


def _leaves(value: Any, where: Where) -> Iterator[tuple[Where, Any]]:
    if isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _leaves(each, (*where, index))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, (*where, key))
    else:
        yield where, value


def _plain_model(model: BaseModel, move: Callable[[str], str]) -> dict[str, Any]:
    dumped = model.model_dump(mode="python")
    fields = type(model).model_fields
    result = {}
    for name in sorted(fields, key="type".__ne__):
        field, value = fields[name], getattr(model, name)
        if value is None and field.default is None:
            continue  # absent says the same
        change = move if _mark(field) is not None else str
        result[name] = _plain(value, dumped.get(name), change, move)
    return result


def _plain(value: Any, dumped: Any, change: Callable[[str], str], move: Callable[[str], str]) -> Any:
    """Plain data; `dumped` is what pydantic makes of the value, which knows its serializers."""
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


def _moved(text: str, start: Path, folder: Path | None) -> str:
    path = start / text
    if not text or not _exists(path):
        return text
    whole = path.resolve()
    if folder is None:
        return whole.as_posix()
    try:
        return Path(os.path.relpath(whole, folder.resolve())).as_posix()
    except ValueError:  # another drive
        return whole.as_posix()


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
