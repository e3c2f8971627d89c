"""Sizes by aspect and scale: `--aspect widescreen --scale 2`."""

from __future__ import annotations

import math
import re

from pixforge.errors import RecipeError
from pixforge.recipe.fields import LARGEST, SMALLEST
from pixforge.recipe.words import shown, suggest

ASPECTS = {
    "square": (1, 1),
    "portrait": (4, 5),
    "landscape": (3, 2),
    "widescreen": (16, 9),
    "tall": (9, 16),
    "panorama": (3, 1),
}
MULTIPLE = 16
"""Pixels: what the embedded VQGAN makes without cropping."""
_RATIO = re.compile(r"(\d{1,4}):(\d{1,4})")


def sized(size: tuple[int, int], aspect: str | None, scale: float | None) -> tuple[int, int]:
    """A size of the same area with another aspect, its sides `scale` times as long, rounded to 16 pixels.

    Raises:
        RecipeError: the aspect is unknown, or a side would be too short or too long.
    """
    width, height = size
    if aspect is not None:
        across, down = _ratio(aspect)
        area = width * height
        width, height = math.sqrt(area * across / down), math.sqrt(area * down / across)  # type: ignore[assignment]
    factor = 1.0 if scale is None else scale
    if not 0 < factor <= LARGEST:
        raise RecipeError(f"--scale {factor:g}: a scale is a number above 0, such as 2")
    found = [max(MULTIPLE, round(side * factor / MULTIPLE) * MULTIPLE) for side in (width, height)]
    if not all(SMALLEST <= side <= LARGEST for side in found):
        raise RecipeError(
            f"--scale {factor:g}: {found[0]}x{found[1]} pixels: sides go from {SMALLEST} to {LARGEST}"
        )
    return found[0], found[1]


def _ratio(aspect: str) -> tuple[int, int]:
    if aspect in ASPECTS:
        return ASPECTS[aspect]
    match = _RATIO.fullmatch(aspect)
    if match is None or not int(match[1]) or not int(match[2]):
        hint = suggest(aspect[:60], ASPECTS)
        raise RecipeError(f"--aspect {shown(aspect)}: an aspect is a word or a ratio such as 16:9{hint}")
    return int(match[1]), int(match[2])
