"""What a recipe needs besides pixforge: installed packages (`requires`) and single-file plugins (`plugins`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pixforge.errors import PluginError
from pixforge.ordinary_files import is_file
from pixforge.plugins.loader import Plugins
from pixforge.recipe.digest import digest_of
from pixforge.recipe.errors import Problem
from pixforge.recipe.formats.document import Document

_SHELL = set('"$`\\!')


def check_requirements(document: Document) -> list[Problem]:
    """Problems of `requires` that installing a package would solve; the validation checks the types of the values."""
    return [
        Problem(("requires", index), message)
        for index, text in _texts(document, "requires")
        if (message := _unmet(text))
    ]


def plugin_files(document: Document) -> tuple[list[Path], list[Problem]]:
    """The files of `plugins`, and a problem for each missing one."""
    files, problems = [], []
    for index, text in _texts(document, "plugins"):
        file = document.folder / text
        if is_file(file):
            files.append(file)
        else:
            problems.append(Problem(("plugins", index), f"there is no file {file}"))
    return files, problems


def changed_plugins(document: Document) -> list[Problem]:
    """A problem for each plugin file that is not the one of which the recipe holds the hash; none of them is run.

    A file that the user names in an override is the user's choice.
    """
    hashes: Any = document.data.get("files")
    problems = []
    for index, text in _texts(document, "plugins"):
        where = ("plugins", index)
        chosen = ("plugins",) in document.overrides or where in document.overrides
        wanted = hashes.get(text) if isinstance(hashes, dict) and not chosen else None
        try:
            found = digest_of(document.folder / text) if isinstance(wanted, str) else None
        except PermissionError as error:
            problems.append(Problem(where, f"{text}: cannot be read ({error.strerror})"))
            continue
        if found not in {None, wanted}:
            problems.append(
                Problem(
                    where,
                    f"{text} is not the file that the recipe was made with (SHA-256 {str(wanted)[:12]}...); it was "
                    "not run; --set files={} takes it as it is now",
                )
            )
    return problems


def files_beside(folder: Path | None, named: Iterable[Path]) -> list[Path]:
    """The plugin files in the folder beside a recipe that it does not name; other Python files are left out."""
    if folder is None or not folder.is_dir():
        return []
    known = {file.resolve() for file in named}
    files = sorted(file for file in folder.glob("*.py") if file.resolve() not in known)
    return [file for file in files if is_file(file) and b"hookimpl" in file.read_bytes()]


def check_loaded(document: Document, plugins: Plugins) -> None:
    """Check that the plugins which the recipe requires were loaded without an error.

    Raises:
        PluginError: one failed; names the plugin and the cause.
    """
    if not plugins.failures:
        return
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

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
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return f"{text!r} is not a requirement such as pixforge-strokes>=0.1"
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    requirement.marker = None
    cure = f'pip install "{requirement}"'
    # Users may paste the command into a shell, and an address would install whatever lies there.
    if requirement.url is not None or _SHELL & set(str(requirement)):
        cure = "install it by hand"
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is not installed: {cure}"
    if not requirement.specifier.contains(installed, prereleases=True):
        return f"{requirement.name} {installed} is installed, but the recipe needs {requirement.specifier}: {cure}"
    return None
