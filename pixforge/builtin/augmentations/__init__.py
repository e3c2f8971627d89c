"""The built-in augmentations."""

from __future__ import annotations

from typing import Any

from pixforge.builtin.augmentations.affine import Affine
from pixforge.builtin.augmentations.color import Color
from pixforge.builtin.augmentations.erasing import Erasing
from pixforge.builtin.augmentations.flip import Flip
from pixforge.builtin.augmentations.noise import Noise
from pixforge.builtin.augmentations.perspective import Perspective
from pixforge.contracts import Augmentation
from pixforge.hookspecs import hookimpl


@hookimpl
def pixforge_augmentations() -> list[type[Augmentation[Any]]]:
    """The list that makes them known."""
    return [Affine, Color, Erasing, Flip, Noise, Perspective]
