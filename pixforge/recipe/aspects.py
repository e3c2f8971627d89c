"""Sizes by aspect and scale: `--aspect widescreen --scale 2`, and those of the start picture: `--aspect retain`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from pydantic_core import PydanticCustomError

from pixforge.errors import RecipeError
from pixforge.ordinary_files import is_file
from pixforge.recipe.defaults import DEFAULTS
from pixforge.recipe.errors import Problem, raise_problems
from pixforge.recipe.fields import LARGEST, RETAIN, SMALLEST, parse_size
from pixforge.recipe.formats.document import Document
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


def shape(document: Document, aspect: str | None, scale: float | None, *, fixed: bool) -> None:
    """Give the size of a recipe another aspect and scale, and write `retain` out.

    Args:
        document: the recipe; it is changed.
        aspect: a word, a ratio, or `retain`, the start picture's; None leaves it.
        scale: a factor of both sides; None leaves them.
        fixed: the size is to stay as it is, unless it is `retain`.

    Raises:
        RecipeError: the aspect is unknown, a side would be too short or too long, or no picture is there to take the size of.
        ImageError: the start picture cannot be read.
    """
    size = document.data.get("size")
    if size == RETAIN:
        base = _start_size(document)
    elif fixed or (aspect is None and scale is None):
        return
    else:
        try:
            base = parse_size(DEFAULTS["size"] if size is None else size)
        except PydanticCustomError:
            return  # the validation will say what is wrong with it
    ratio = _start_size(document) if aspect == RETAIN else aspect
    document.data["size"] = list(sized(base, ratio, scale))


def _start_size(document: Document) -> tuple[int, int]:
    """Width and height of the picture that a recipe starts from, upright."""
    from pixforge.media.files import opened, upright

    init = document.data.get("init")
    image = init.get("image") if isinstance(init, Mapping) else None
    if isinstance(init, str) and is_file(document.folder / init):  # the short form
        image = init
    if not isinstance(image, str):
        message = "retain is the size of the start picture; write init: photo.png, too"
        raise_problems(document, [Problem(("size",), message)])
    with opened(document.folder / str(image)) as picture:
        return upright(picture).size


def sized(
    size: tuple[int, int], aspect: str | tuple[int, int] | None, scale: float | None
) -> tuple[int, int]:
    """A size of the same area with another aspect, its sides `scale` times as long, rounded to 16 pixels.

    Raises:
        RecipeError: the aspect is unknown, or a side would be too short or too long.
    """
    width, height = size
    if aspect is not None:
        across, down = _ratio(aspect) if isinstance(aspect, str) else aspect
        area = width * height
        width, height = math.sqrt(area * across / down), math.sqrt(area * down / across)  # type: ignore[assignment]
    factor = 1.0 if scale is None else scale
    if not 0 < factor <= LARGEST:
        raise RecipeError(f"--scale {factor:g}: a scale is above 0 and at most {LARGEST}, such as 2")
    exact = [side * factor for side in (width, height)]
    found = [round(side / MULTIPLE) * MULTIPLE for side in exact]
    if min(exact) < 0.75 * SMALLEST or not all(SMALLEST <= side <= LARGEST for side in found):
        asked = "" if scale is None else f" (--scale {factor:g})"
        raise RecipeError(
            f"size: {exact[0]:.0f}x{exact[1]:.0f} pixels{asked}: sides go from {SMALLEST} to {LARGEST}"
        )
    return found[0], found[1]


def _ratio(aspect: str) -> tuple[int, int]:
    if aspect in ASPECTS:
        return ASPECTS[aspect]
    match = _RATIO.fullmatch(aspect)
    if match is None or not int(match[1]) or not int(match[2]):
        hint = suggest(aspect[:60], [*ASPECTS, RETAIN])
        raise RecipeError(
            f"--aspect {shown(aspect)}: an aspect is a word, a ratio such as 16:9, or retain{hint}"
        )
    return int(match[1]), int(match[2])
