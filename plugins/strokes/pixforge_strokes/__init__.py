"""Generators for pixforge that draw curves, `strokes` and `sketch`, and the exporter `svg`."""

from __future__ import annotations

from typing import Any

import pixforge


@pixforge.hookimpl
def pixforge_generators() -> list[type[pixforge.Generator[Any]]]:
    """The generators of this package."""
    from pixforge_strokes.sketch import Sketch
    from pixforge_strokes.strokes import Strokes

    return [Sketch, Strokes]


@pixforge.hookimpl
def pixforge_exporters() -> list[type[pixforge.Exporter[Any]]]:
    """The exporter of this package."""
    from pixforge_strokes.svg import Svg

    return [Svg]
