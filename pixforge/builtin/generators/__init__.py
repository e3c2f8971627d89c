"""The built-in generators."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.generators.fourier import Fourier
from pixforge.builtin.generators.palette import PalettePicture
from pixforge.builtin.generators.pixels import Pixels
from pixforge.builtin.generators.vqgan.generator import VQGAN
from pixforge.builtin.generators.wavelet import Wavelet
from pixforge.contracts import Generator
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_generators() -> list[type[Generator[Any]]]:
    """The built-in generators."""
    return [Fourier, PalettePicture, Pixels, VQGAN, Wavelet]
