"""The built-in losses."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.losses.latent import Latent
from pixforge.builtin.losses.range import Range
from pixforge.builtin.losses.saturation import Saturation
from pixforge.builtin.losses.smoothness import Smoothness
from pixforge.builtin.losses.symmetry import Symmetry
from pixforge.contracts import Loss
from pixforge.hookspecs import hookimpl


@hookimpl
def pixforge_losses() -> list[type[Loss[Any]]]:
    """The list that makes them known."""
    return [Latent, Range, Saturation, Smoothness, Symmetry]
