"""Generators for pixforge that optimize the weights of a small network: `siren`, `cppn` and `deep_image_prior`.

The exporter `glsl` saves the first two as shaders.
"""

from __future__ import annotations

from typing import Any

import pixforge


@pixforge.hookimpl
def pixforge_generators() -> list[type[pixforge.Generator[Any]]]:
    """The generators of this package."""
    from pixforge_siren.cppn import Cppn
    from pixforge_siren.prior import DeepImagePrior
    from pixforge_siren.siren import Siren

    return [Cppn, DeepImagePrior, Siren]


@pixforge.hookimpl
def pixforge_exporters() -> list[type[pixforge.Exporter[Any]]]:
    """The exporters of this package."""
    from pixforge_siren.shader import Glsl

    return [Glsl]
