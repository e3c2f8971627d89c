"""The built-in filters."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.filters.grayscale import Grayscale
from pixforge.builtin.filters.lookup import Lookup
from pixforge.builtin.filters.posterize import Posterize
from pixforge.builtin.filters.roll import Roll
from pixforge.builtin.filters.sharpness import Blur, Sharpen
from pixforge.builtin.filters.upscale import Upscale
from pixforge.builtin.filters.wallpaper import Rim, Wallpaper
from pixforge.contracts import Filter
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_filters() -> list[type[Filter[Any]]]:
    """The list that makes them known."""
    return [Blur, Grayscale, Lookup, Posterize, Rim, Roll, Sharpen, Upscale, Wallpaper]
