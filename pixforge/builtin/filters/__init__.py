"""The built-in filters."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.filters.grayscale import Grayscale
from pixforge.builtin.filters.roll import Roll
from pixforge.contracts import Filter
from pixforge.hookspecs import hookimpl


@hookimpl
def pixforge_filters() -> list[type[Filter[Any]]]:
    """The list that makes them known."""
    return [Grayscale, Roll]
