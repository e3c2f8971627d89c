"""The built-in perceptors."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.perceptors.open_clip import OpenClip
from pixforge.contracts import Perceptor
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_perceptors() -> list[type[Perceptor[Any]]]:
    """The built-in perceptors."""
    return [OpenClip]
