"""Generators for pixforge that optimize the weights of a small network: `siren` and `deep_image_prior`."""

from __future__ import annotations

from typing import Any

import pixforge


@pixforge.hookimpl
def pixforge_generators() -> list[type[pixforge.Generator[Any]]]:
    """The generators of this package."""
    from pixforge_siren.prior import DeepImagePrior
    from pixforge_siren.siren import Siren

    return [DeepImagePrior, Siren]
