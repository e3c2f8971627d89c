"""Contact sheets with rows and columns by the settings that vary, in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.contracts.files import whole_file

if TYPE_CHECKING:
    from PIL import Image

ACROSS, DOWN = 10, 8
"""Tiles of one page at most."""
TILE = 160
_GAP, _LINE, _EDGE = 8, 16, 150


@dataclass(frozen=True)
class Grid:
    """Where every run stands: `cells` maps (row, column) to the name of a run.

    `rows` and `columns` are the labels, empty for none; below each picture is room for `lines` of text.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[int, int], str]
    lines: int = 1


def save_sheets(
    grid: Grid, thumbs: Mapping[str, Path], captions: Mapping[str, str], folder: Path
) -> list[Path]:
    """Write `sheet-1.jpg` and so on.

    Args:
        grid: where every run stands.
        thumbs: the small picture of each run that has one.
        captions: the text below each picture.
        folder: where to write them; pages of before go.

    Raises:
        OSError: one of them cannot be written.
    """
    for old in folder.glob("sheet-*.jpg"):
        old.unlink()
    written = []
    for number, page in enumerate(pages(grid), 1):
        path = folder / f"sheet-{number}.jpg"
        with whole_file(path) as file:
            draw_page(page, thumbs, captions).save(file, "JPEG", quality=88)
        written.append(path)
    return written


def pages(grid: Grid) -> Iterator[Grid]:
    """The grid in pages of at most 8 rows and 10 columns; those without a run are left out."""
    for top in range(0, len(grid.rows), DOWN):
        for left in range(0, len(grid.columns), ACROSS):
            cells = {
                (row - top, column - left): name
                for (row, column), name in grid.cells.items()
                if top <= row < top + DOWN and left <= column < left + ACROSS
            }
            if cells:
                rows, columns = grid.rows[top : top + DOWN], grid.columns[left : left + ACROSS]
                yield Grid(grid.title, rows, columns, cells, grid.lines)


def draw_page(page: Grid, thumbs: Mapping[str, Path], captions: Mapping[str, str]) -> Image.Image:
    """One page as an image."""
    from PIL import Image, ImageDraw, ImageFont

    edge = _EDGE if any(page.rows) else 0
    head = 2 * _LINE + _GAP + (3 * _LINE if any(page.columns) else 0)
    width = edge + len(page.columns) * (TILE + _GAP) + _GAP
    step = TILE + page.lines * _LINE + _GAP
    height = head + len(page.rows) * step + _GAP
    sheet = Image.new("RGB", (max(width, 320), height), "white")
    pen = ImageDraw.Draw(sheet)
    font, small = ImageFont.load_default(14), ImageFont.load_default(11)
    _text(pen, (_GAP, _GAP // 2), page.title, font, sheet.width - 2 * _GAP, 1)
    for column, label in enumerate(page.columns):
        _text(pen, (edge + _GAP + column * (TILE + _GAP), 2 * _LINE), label, small, TILE, 3)
    for row, label in enumerate(page.rows):
        _text(pen, (_GAP, head + row * step), label, small, _EDGE - 2 * _GAP, 10)
    for (row, column), name in page.cells.items():
        left, top = edge + _GAP + column * (TILE + _GAP), head + row * step
        tile = _tile(thumbs.get(name))
        sheet.paste(tile, (left + (TILE - tile.width) // 2, top + (TILE - tile.height) // 2))
        _text(pen, (left, top + TILE + 2), captions.get(name, name), small, TILE, page.lines, "dimgray")
    return sheet


def _tile(path: Path | None) -> Image.Image:
    from PIL import Image

    empty = Image.new("RGB", (TILE, TILE), "#dddddd")
    if path is None:
        return empty
    try:
        with Image.open(path) as image:
            small = image.convert("RGB")
    except OSError:
        return empty
    small.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
    return small


def _text(
    pen: Any, place: tuple[int, int], text: str, font: Any, width: int, lines: int, color: str = "black"
) -> None:
    """Text in lines of a width, the last one shortened; characters that the font lacks become question marks."""
    plain = text.encode("latin-1", "replace").decode("latin-1")
    for number, line in enumerate(
        wrapped(plain, lambda part: pen.textlength(part, font=font) <= width, lines)
    ):
        pen.text((place[0], place[1] + number * (_LINE - 2)), line, color, font)


def wrapped(text: str, fits: Any, lines: int) -> Sequence[str]:
    """The text in at most so many lines that fit; dots say that something is left out."""
    found: list[str] = []
    rest = text
    while rest and len(found) < lines:
        first, newline, below = rest.partition("\n")
        cut = len(first)
        while cut > 1 and not fits(first[:cut]):
            cut -= 1
        space = first.rfind(" ", 0, cut + 1)
        if cut < len(first) and space > 0:
            cut = space
        found.append(first[:cut].rstrip())
        rest = f"{first[cut:].lstrip()}{newline}{below}" if cut < len(first) else below
    if rest and found:
        last = found[-1]
        while len(last) > 1 and not fits(f"{last}..."):
            last = last[:-1]
        found[-1] = f"{last}..."
    return found
