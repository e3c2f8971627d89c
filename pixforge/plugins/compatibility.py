"""Which pixforge a plugin needs: by its distribution's dependencies, or by a line in a single file."""

from __future__ import annotations

import ast
from importlib.metadata import Distribution
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge import __version__
from pixforge.errors import PluginError

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

NAME = "requires_pixforge"


def check_distribution(distribution: Distribution) -> None:
    """Pip warns of a version that does not fit, and installs it all the same.

    Raises:
        PluginError: it needs another pixforge than this one.
    """
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for text in distribution.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if canonicalize_name(requirement.name) == "pixforge" and applies:
            _check(requirement.specifier)


def check_file(file: Path) -> None:
    """See to `requires_pixforge = ">=0.2"`, before the file is run: it may use names that this pixforge lacks.

    Raises:
        PluginError: it needs another pixforge than this one, or says so in a way that cannot be read.
        SyntaxError: it is not Python.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == NAME for target in node.targets
        ):
            try:
                specifier = SpecifierSet(ast.literal_eval(node.value))
            except (InvalidSpecifier, ValueError, AttributeError, TypeError):
                raise PluginError(f'{NAME} on line {node.lineno} must be a text such as ">=0.1"') from None
            _check(specifier)


def _check(specifier: SpecifierSet) -> None:
    if not specifier.contains(__version__, prereleases=True):
        raise PluginError(
            f'it needs pixforge{specifier}, and this is {__version__}: pip install "pixforge{specifier}"'
        )
