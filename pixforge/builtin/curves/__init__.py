"""The built-in curves."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.curves.audio import AudioCurve
from pixforge.builtin.curves.during import DuringCurve
from pixforge.builtin.curves.noise import NoiseCurve
from pixforge.builtin.curves.table import TableCurve
from pixforge.builtin.curves.wave import WaveCurve
from pixforge.contracts import Curve
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_curves() -> list[type[Curve[Any]]]:
    """The list that makes them known."""
    return [AudioCurve, DuringCurve, NoiseCurve, TableCurve, WaveCurve]
