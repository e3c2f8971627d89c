"""The built-in losses."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.losses.aesthetic import Aesthetic
from pixforge.builtin.losses.detail import Detail
from pixforge.builtin.losses.edge import Edge
from pixforge.builtin.losses.enforce import Enforce, Expand
from pixforge.builtin.losses.gaussian import GaussianLoss
from pixforge.builtin.losses.latent import Latent
from pixforge.builtin.losses.level import Brightness, Contrast
from pixforge.builtin.losses.limited_palette import PaletteHdr, PaletteNormalization
from pixforge.builtin.losses.network import Network
from pixforge.builtin.losses.opacity import Opacity
from pixforge.builtin.losses.palette import PaletteLoss
from pixforge.builtin.losses.range import Range
from pixforge.builtin.losses.saturation import Saturation
from pixforge.builtin.losses.smoothness import Smoothness
from pixforge.builtin.losses.statistics import LatentStatistics
from pixforge.builtin.losses.steady import Steady
from pixforge.builtin.losses.style import Style
from pixforge.builtin.losses.symmetry import Symmetry
from pixforge.builtin.losses.target import Target
from pixforge.builtin.losses.total_variation import TotalVariation
from pixforge.contracts import Loss
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_losses() -> list[type[Loss[Any]]]:
    """The list that makes them known."""
    return [
        Aesthetic, Brightness, Contrast, Detail, Edge, Enforce, Expand, GaussianLoss, Latent, LatentStatistics, Network, Opacity,
        PaletteHdr, PaletteLoss, PaletteNormalization, Range, Saturation, Smoothness, Steady, Style, Symmetry, Target,
        TotalVariation,
    ]  # fmt: skip
