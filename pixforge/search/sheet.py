"""A contact sheet of pictures, each with a line of text, the name of its run and file, and what its recipe has alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import ImageError, OutputError

if TYPE_CHECKING:
    from PIL import Image

TILE = 192
_COLUMNS = 5
_GAP = 12
_LINE = 17
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def check_sheet(file: Path) -> None:
    """Check that the file name has the suffix of a picture format, before any work is done.

    Raises:
        OutputError: it has not.
    """
    if file.suffix.lower() not in _FORMATS:
        raise OutputError(f"{file}: a contact sheet's name ends in {', '.join(_FORMATS)}")


def save_sheet(file: Path, title: str, found: Sequence[tuple[Path, str]]) -> None:
    """Write a sheet of pictures, each with a line of text; a picture that cannot be read becomes a gray tile.

    Raises:
        OutputError: the file cannot be written.
    """
    check_sheet(file)
    sheet = contact_sheet(title, found)
    part = file.with_name(f".{file.name}.part")
    try:
        sheet.save(part, _FORMATS[file.suffix.lower()])
        part.replace(file)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise OutputError(f"{file}: cannot be written ({error.strerror or error})") from error


def contact_sheet(title: str, found: Sequence[tuple[Path, str]]) -> Image.Image:
    """The sheet as an image: `title` above rows of up to five tiles of 192 pixels."""
    from PIL import Image, ImageDraw, ImageFont

    from pixforge.search.captions import distinctions, name_of

    columns = max(1, min(_COLUMNS, len(found)))
    rows = -(-len(found) // columns)
    differ = distinctions([path for path, _ in found])
    height = TILE + (3 if any(differ) else 2) * _LINE + _GAP
    sheet = Image.new("RGB", (columns * (TILE + _GAP) + _GAP, rows * height + _LINE + 2 * _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    font, small = ImageFont.load_default(15), ImageFont.load_default(12)
    pen.text((_GAP, _GAP // 2), _shortened(title, pen, font, sheet.width - 2 * _GAP), "black", font)
    for index, (path, text) in enumerate(found):
        left = _GAP + index % columns * (TILE + _GAP)
        top = _LINE + 2 * _GAP + index // columns * height
        tile = _tile(path)
        sheet.paste(tile, (left + (TILE - tile.width) // 2, top + (TILE - tile.height) // 2))
        pen.text((left, top + TILE + 2), text, "black", font)
        for line, below in enumerate((name_of(path), differ[index]), 1):
            place = left, top + TILE + 2 + line * _LINE
            pen.text(place, _shortened(below, pen, small, TILE), "dimgray", small)
    return sheet


def _tile(path: Path) -> Image.Image:
    from PIL import Image

    from pixforge.media.images import read_image

    try:
        image = read_image(path, at_least=2 * TILE)
    except ImageError:
        return Image.new("RGB", (TILE, TILE), "lightgray")
    scale = TILE / max(image.size)
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    return image.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)


def _shortened(text: str, pen: object, font: object, width: int) -> str:
    """Shorten a text to `width` pixels with dots in the middle; characters outside Latin-1 become question marks."""
    text = text.encode("latin-1", "replace").decode("latin-1")
    length = pen.textlength  # type: ignore[attr-defined]
    shown, kept = text, len(text)
    while length(shown, font=font) > width and kept > 2:
        kept -= 1
        shown = f"{text[: kept - kept // 2]}...{text[len(text) - kept // 2 :]}"
    return shown
