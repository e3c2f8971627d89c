"""What a recipe needs beside pixforge: distributions by `requires`, single files by `plugins`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pixforge.errors import PluginError
from pixforge.plugins import Plugins
from pixforge.recipe.document import Document
from pixforge.recipe.errors import Problem

_SHELL = set('"$`\\!')


def check_requirements(document: Document) -> list[Problem]:
    """Problems of `requires` that installing would solve; what is no list of texts is left to the validation."""
    return [
        Problem(("requires", index), message)
        for index, text in _texts(document, "requires")
        if (message := _unmet(text))
    ]


def plugin_files(document: Document) -> tuple[list[Path], list[Problem]]:
    """The files of `plugins`, and a problem for each that is not there."""
    files, problems = [], []
    for index, text in _texts(document, "plugins"):
        file = document.folder / text
        if _is_file(file):
            files.append(file)
        else:
            problems.append(Problem(("plugins", index), f"there is no file {file}"))
    return files, problems


def refuse_carried(document: Document) -> None:
    """See that no file is run because a picture's metadata says so; what an override names, its user has named.

    Raises:
        PluginError: the recipe inside a picture, video or checkpoint names plugins.
    """
    if not document.carried or ("plugins",) in document.overrides:
        return
    names = [text for at, text in _texts(document, "plugins") if ("plugins", at) not in document.overrides]
    if names:
        raise PluginError(
            f"{document.locate(('plugins',))}: the recipe in it names programs as plugins ({', '.join(map(repr, names[:3]))}); "
            "--trust-plugins runs them, if they are yours"
        )


def files_beside(document: Document, named: Iterable[Path]) -> list[Path]:
    """The plugins in the folder beside the recipe that it does not name; other Python files are left alone."""
    if document.beside is None or not document.beside.is_dir():
        return []
    known = {file.resolve() for file in named}
    files = sorted(file for file in document.beside.glob("*.py") if file.resolve() not in known)
    return [file for file in files if _is_file(file) and b"hookimpl" in file.read_bytes()]


def check_loaded(document: Document, plugins: Plugins) -> None:
    """See that what the recipe requires has not failed while it was loaded.

    Raises:
        PluginError: it has; names the plugin and the cause.
    """
    needed = {canonicalize_name(Requirement(text).name) for _, text in _texts(document, "requires")}
    files = {str(document.folder / text) for _, text in _texts(document, "plugins")}
    for failure in plugins.failures:
        name = failure.info.distribution
        if (name and canonicalize_name(name) in needed) or failure.info.source in files:
            raise PluginError(
                f"{document.label}: the recipe needs a plugin that is broken: {failure}"
            ) from failure.cause


def _texts(document: Document, field: str) -> Iterator[tuple[int, str]]:
    value: Any = document.data.get(field)
    for index, text in enumerate(value if isinstance(value, list) else ()):
        if isinstance(text, str):
            yield index, text


def _unmet(text: str) -> str | None:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return f"{text!r} is not a requirement such as pixforge-strokes>=0.1"
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    requirement.marker = None
    cure = f'pip install "{requirement}"'
    if _SHELL & set(str(requirement)):  # people paste what they are told
        cure = "install it by hand"
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is not installed: {cure}"
    if not requirement.specifier.contains(installed, prereleases=True):
        return f"{requirement.name} {installed} is installed, but the recipe needs {requirement.specifier}: {cure}"
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
