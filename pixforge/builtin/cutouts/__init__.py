"""The built-in cutout strategies."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.cutouts.aphantasia import Aphantasia
from pixforge.builtin.cutouts.disco import Disco
from pixforge.builtin.cutouts.pixray import Pixray
from pixforge.builtin.cutouts.pooled import Pooled
from pixforge.builtin.cutouts.pytti import Pytti
from pixforge.builtin.cutouts.random import Random
from pixforge.contracts import Cutouts
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_cutouts() -> list[type[Cutouts[Any]]]:
    """The built-in cutout strategies."""
    return [Aphantasia, Disco, Pixray, Pooled, Pytti, Random]
