"""The built-in exporters."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.exporters.best import Best
from pixforge.builtin.exporters.contact_sheet import ContactSheet
from pixforge.builtin.exporters.film import FilmVideo
from pixforge.builtin.exporters.preview import Preview
from pixforge.builtin.exporters.still import Still
from pixforge.builtin.exporters.video.exporter import Video
from pixforge.contracts import Exporter
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_exporters() -> list[type[Exporter[Any]]]:
    """The list that makes them known."""
    return [Best, ContactSheet, FilmVideo, Preview, Still, Video]
