"""Small pictures of runs, which stay when the large ones go."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.contracts.files import whole_file
from pixforge.errors import ImageError
from pixforge.ordinary_files import read_ordinary

if TYPE_CHECKING:
    from PIL import Image

SIDE = 192
"""Pixels of the longer side."""
_MOST, _MOST_BYTES = 16, 2**20
_QUALITY = 82


def make_thumb(pictures: Sequence[Path]) -> Image.Image | None:
    """A run's pictures as one of at most 192 x 192 pixels, several as a grid; None where none can be read."""
    from PIL import Image

    shown = [image for path in pictures[:_MOST] if (image := _read(path)) is not None]
    if not shown:
        return None
    columns = math.ceil(math.sqrt(len(shown)))
    rows = math.ceil(len(shown) / columns)
    side = SIDE // columns
    tiles = [_fitted(image, side) for image in shown]
    width, height = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    grid = Image.new("RGB", (columns * width, rows * height), "white")
    for index, tile in enumerate(tiles):
        grid.paste(tile, (index % columns * width, index // columns * height))
    return grid


def thumb_bytes(pictures: Sequence[Path]) -> bytes | None:
    """The same as a JPEG file's content."""
    thumb = make_thumb(pictures)
    if thumb is None:
        return None
    content = io.BytesIO()
    thumb.save(content, "JPEG", quality=_QUALITY)
    return content.getvalue()


def save_thumb(pictures: Sequence[Path], path: Path) -> None:
    """Write it, if there is one.

    Raises:
        OSError: it cannot be written.
    """
    content = thumb_bytes(pictures)
    if content is not None:
        with whole_file(path) as file:
            file.write(content)


def read_thumb(path: Path) -> bytes | None:
    """What was written; None where it cannot be read."""
    try:
        return read_ordinary(path, _MOST_BYTES)
    except (OSError, ValueError):
        return None


def _read(path: Path) -> Image.Image | None:
    from pixforge.media.images import read_image

    try:
        return read_image(path, at_least=2 * SIDE)
    except ImageError:
        return None


def _fitted(image: Image.Image, side: int) -> Image.Image:
    from PIL import Image

    scale = side / max(image.size)
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    if scale > 1 and scale == int(scale):
        return image.resize(size, Image.Resampling.NEAREST)  # the pixels of a tiny picture stay what they are
    return image.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
