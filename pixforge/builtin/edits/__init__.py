"""The built-in edits."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.edits.back import Return
from pixforge.builtin.edits.camera.camera import Camera
from pixforge.builtin.edits.feedback import Feedback
from pixforge.builtin.edits.footage.redraw import Redraw
from pixforge.builtin.edits.overlay import Overlay
from pixforge.builtin.edits.travel import Travel
from pixforge.contracts import Edit
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_edits() -> list[type[Edit[Any]]]:
    """The list that makes them known."""
    return [Camera, Feedback, Overlay, Redraw, Return, Travel]
