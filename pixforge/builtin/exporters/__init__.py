"""The built-in exporters."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.exporters.still import Still
from pixforge.builtin.exporters.video import Video
from pixforge.contracts import Exporter
from pixforge.hookspecs import hookimpl


@hookimpl
def pixforge_exporters() -> list[type[Exporter[Any]]]:
    """The list that makes them known."""
    return [Still, Video]
