"""The built-in augmentations."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.augmentations.affine import Affine
from pixforge.builtin.augmentations.bend import Elastic, ThinPlate
from pixforge.builtin.augmentations.color import Color
from pixforge.builtin.augmentations.crop import Crop
from pixforge.builtin.augmentations.erasing import Erasing
from pixforge.builtin.augmentations.flip import Flip
from pixforge.builtin.augmentations.noise import Noise
from pixforge.builtin.augmentations.perspective import Perspective
from pixforge.builtin.augmentations.sharpness import Sharpness
from pixforge.contracts import Augmentation
from pixforge.plugins.hookspecs import hookimpl


@hookimpl
def pixforge_augmentations() -> list[type[Augmentation[Any]]]:
    """The built-in augmentations."""
    return [Affine, Color, Crop, Elastic, Erasing, Flip, Noise, Perspective, Sharpness, ThinPlate]
