"""Read palettes from files of paint programs, and from pictures. A file is hostile until it has been checked."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

from pixforge.errors import ImageError
from pixforge.media.color_names import Color
from pixforge.ordinary_files import open_ordinary

PALETTE_SUFFIXES = (".act", ".gpl", ".ase", ".hex", ".pal")
MAX_COLORS = 1024
_MAX_BYTES = 2**20
_HEX = re.compile(r"#?([0-9a-fA-F]{6})(?:[0-9a-fA-F]{2})?")
_WORKS = "a palette is an .act, .gpl, .ase, .hex or .pal file"


def read_palette_file(path: str | Path) -> list[Color]:
    """The colors of a palette file, in its order: Adobe .act and .ase, GIMP .gpl, .hex lists, JASC and RIFF .pal.

    Raises:
        ImageError: it is missing, no palette, damaged, too large, or holds no color or more than 1024.
    """
    content = _content(path)
    read = _reader(path, content)
    try:
        colors = read(content)
    except ValueError as error:
        raise ImageError(f"{path}: {error}") from None
    except (struct.error, IndexError, UnicodeError):
        raise ImageError(f"{path}: is damaged or cut short; save the palette again") from None
    if not colors:
        raise ImageError(f"{path}: holds no color")
    if len(colors) > MAX_COLORS:
        raise ImageError(f"{path}: has {len(colors)} colors, the limit is {MAX_COLORS}")
    return colors


def palette_of_picture(path: str | Path, count: int) -> list[Color]:
    """The main colors of a picture, the most frequent first: all of them if there are no more than `count`.

    They are found by median cut with means (Pillow's) on the picture at no more than 256 pixels a side.

    Raises:
        ImageError: as `read_image`.
    """
    from PIL import Image

    from pixforge.media.images import read_image

    image = read_image(path, 256)
    image.thumbnail((256, 256), Image.Resampling.NEAREST)
    exact = image.getcolors(count)
    if exact is None:
        few = image.quantize(count, method=Image.Quantize.MEDIANCUT, kmeans=3)
        table = few.getpalette() or []
        found = [(n, tuple(table[3 * int(i) : 3 * int(i) + 3])) for n, i in few.getcolors(256) or []]  # type: ignore[arg-type]
    else:
        found = [(n, tuple(color)) for n, color in exact]  # type: ignore[arg-type]
    found.sort(key=lambda each: (-each[0], each[1]))
    return [_bytes(*color) for _, color in found]


def _content(path: str | Path) -> bytes:
    try:
        with open_ordinary(path) as file:
            content = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ImageError(
            f"{path}: there is no such file; a relative path starts at the recipe's folder"
        ) from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(content) > _MAX_BYTES:
        raise ImageError(f"{path}: is larger than 1 MiB, which no palette is")
    return content


def _reader(path: str | Path, content: bytes) -> Callable[[bytes], list[Color]]:
    """By the beginning of the content, where a format has one, otherwise by the suffix."""
    starts: dict[bytes, Callable[[bytes], list[Color]]] = {
        b"ASEF": _ase, b"RIFF": _riff, b"JASC-PAL": _jasc, b"GIMP Palette": _gpl,
    }  # fmt: skip
    for start, reader in starts.items():
        if content.removeprefix(b"\xef\xbb\xbf").startswith(start):
            return reader
    suffix = Path(path).suffix.lower()
    if suffix == ".ase" and content[4:6] == b"\xe0\xa5":
        raise ImageError(f"{path}: is a drawing of Aseprite; export its palette as .gpl or .hex")
    by_suffix: dict[str, Callable[[bytes], list[Color]]] = {".act": _act, ".hex": _hex, ".pal": _raw}
    if suffix not in by_suffix:
        raise ImageError(f"{path}: is no palette that can be read; {_WORKS}")
    return by_suffix[suffix]


def _hex(content: bytes) -> list[Color]:
    """One color a line; lines that begin with `;` or `//` are comments."""
    colors = []
    for number, line in enumerate(_lines(content), 1):
        if not line or line.startswith((";", "//")):
            continue
        found = _HEX.fullmatch(line)
        if found is None:
            raise ValueError(f"line {number} is no color such as ff8800")
        digits = found[1]
        colors.append(_bytes(int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)))
    return colors


def _gpl(content: bytes) -> list[Color]:
    """`red green blue name` a line, after a header of `Name:` and `Columns:`."""
    colors = []
    for number, line in enumerate(_lines(content)[1:], 2):
        if not line or line.startswith(("#", "Name:", "Columns:", "Channels:")):
            continue
        colors.append(_three(line.split()[:3], number))
    return colors


def _jasc(content: bytes) -> list[Color]:
    """`JASC-PAL`, `0100`, the number of colors, and `red green blue` a line."""
    lines = _lines(content)
    if len(lines) < 3 or not re.fullmatch(r"\d{1,5}", lines[2]):
        raise ValueError("its third line must be the number of colors")
    wanted = [(number, line) for number, line in enumerate(lines[3:], 4) if line][: int(lines[2])]
    if len(wanted) < int(lines[2]):
        raise ValueError(f"it promises {lines[2]} colors and has {len(wanted)}")
    return [_three(line.split()[:3], number) for number, line in wanted]


def _riff(content: bytes) -> list[Color]:
    """Microsoft's: `RIFF`, size, `PAL data`, size, a version, the number of entries, and four bytes each."""
    if content[8:16] != b"PAL data":
        raise ValueError("is a RIFF file, but no palette")
    (count,) = struct.unpack_from("<H", content, 22)
    return [_bytes(*struct.unpack_from("BBB", content, 24 + 4 * index)) for index in range(count)]


def _act(content: bytes) -> list[Color]:
    """256 colors of three bytes; four more bytes may say how many of them count."""
    if len(content) not in {768, 772}:
        raise ValueError(f"an .act file has 768 or 772 bytes, this one {len(content)}")
    count = struct.unpack_from(">H", content, 768)[0] if len(content) == 772 else 256
    count = 256 if count in {0, 0xFFFF} else count
    if count > 256:
        raise ValueError(f"it promises {count} colors; an .act file has 256 at most")
    return [_bytes(*content[3 * index : 3 * index + 3]) for index in range(count)]


def _raw(content: bytes) -> list[Color]:
    """A .pal file without a header: three bytes a color."""
    if not content or len(content) % 3 or len(content) > 768:
        raise ValueError(
            "is neither a JASC nor a RIFF palette, nor one of three bytes for each of up to 256 colors"
        )
    return [_bytes(*content[at : at + 3]) for at in range(0, len(content), 3)]


def _ase(content: bytes) -> list[Color]:
    """Adobe Swatch Exchange: blocks of names and floats, big-endian. Groups are passed over."""
    (count,) = struct.unpack_from(">I", content, 8)
    colors: list[Color] = []
    at = 12
    for _ in range(min(count, 4 * MAX_COLORS)):
        kind, length = struct.unpack_from(">HI", content, at)
        at += 6
        if at + length > len(content):
            raise ValueError("a swatch is cut short")
        if kind == 0x0001:
            (letters,) = struct.unpack_from(">H", content, at)
            colors.append(_ase_color(content, at + 2 + 2 * letters, at + length))
        at += length
    return colors


def _ase_color(content: bytes, at: int, end: int) -> Color:
    model = content[at : at + 4]
    sizes = {b"RGB ": 3, b"CMYK": 4, b"LAB ": 3, b"Gray": 1}
    if model not in sizes:
        raise ValueError("a swatch has an unknown color model; RGB, CMYK, LAB and Gray are known")
    if at + 4 + 4 * sizes[model] > end:
        raise ValueError("a swatch is cut short")
    values = struct.unpack_from(f">{sizes[model]}f", content, at + 4)
    if not all(-1000 <= each <= 1000 for each in values):  # not a number, either
        raise ValueError("a swatch holds a number that is none of a color")
    if model == b"CMYK":
        cyan, magenta, yellow, key = values
        return _limited((1 - cyan) * (1 - key), (1 - magenta) * (1 - key), (1 - yellow) * (1 - key))
    if model == b"LAB ":
        return _from_lab(values[0] * 100, values[1], values[2])
    return _limited(*values) if model == b"RGB " else _limited(*(values * 3))


def _from_lab(lightness: float, a: float, b: float) -> Color:
    """CIE L*a*b* with the white of D50, through XYZ to sRGB (Bradford-adapted matrix)."""
    middle = (lightness + 16) / 116
    x, y, z = (
        white * (each**3 if each > 6 / 29 else 3 * (6 / 29) ** 2 * (each - 4 / 29))
        for white, each in zip(
            (0.96422, 1.0, 0.82521), (middle + a / 500, middle, middle - b / 200), strict=True
        )
    )
    linear = (
        3.1338561 * x - 1.6168667 * y - 0.4906146 * z,
        -0.9787684 * x + 1.9161415 * y + 0.0334540 * z,
        0.0719453 * x - 0.2289914 * y + 1.4052427 * z,
    )
    red, green, blue = (
        12.92 * each if each <= 0.0031308 else 1.055 * each ** (1 / 2.4) - 0.055 for each in linear
    )
    return _limited(red, green, blue)


def _limited(red: float, green: float, blue: float) -> Color:
    return min(max(red, 0.0), 1.0), min(max(green, 0.0), 1.0), min(max(blue, 0.0), 1.0)


def _three(parts: list[str], number: int) -> Color:
    if len(parts) != 3 or not all(re.fullmatch(r"\d{1,3}", each) and int(each) <= 255 for each in parts):
        raise ValueError(f"line {number} does not begin with three numbers from 0 to 255")
    return _bytes(*(int(each) for each in parts))


def _bytes(red: int, green: int, blue: int) -> Color:
    return red / 255, green / 255, blue / 255


def _lines(content: bytes) -> list[str]:
    return [line.strip() for line in content.decode("utf-8-sig", errors="replace").splitlines()]
