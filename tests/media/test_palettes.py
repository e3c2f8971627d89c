"""Colors and palettes are read as people write them, and palette files of strangers are checked."""

import struct

import pytest
from PIL import Image
from pydantic import ValidationError

from pixforge.contracts import Palette
from pixforge.errors import ImageError
from pixforge.media.color_names import parse_color
from pixforge.media.palettes import read_palette_file

RED, WHITE, BLACK = (1.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)


def byte(*color):
    return tuple(round(each * 255) for each in color)


def test_a_name_that_pillow_has_used_means_what_it_meant():
    """Pillow keeps what it has parsed in its table of names: 'red' became that of the xkcd survey."""
    from pixforge.media import color_names

    Image.new("RGB", (1, 1), "red")
    color_names._css.cache_clear()
    assert parse_color("red") == (1, 0, 0)


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("red", (255, 0, 0)),
        ("orangered", (255, 69, 0)),
        ("#f80", (255, 136, 0)),
        ("FF8800", (255, 136, 0)),
        ("rgb(255, 136, 0)", (255, 136, 0)),
        ("hsl(120, 100%, 50%)", (0, 255, 0)),
        ("Dark Slate Grey", (47, 79, 79)),
        ("green", (0, 128, 0)),  # of CSS
        ("xkcd:green", (0x15, 0xB0, 0x1A)),
        ("cloudy blue", (0xAC, 0xC2, 0xD9)),
    ],
)
def test_a_color_has_many_names(text, color):
    assert byte(*parse_color(text)) == color


@pytest.mark.parametrize(
    "text", ["redd", "", "#12345", "rgb(1, 2)", "rgb(300, 0, 0)", "hsl(1, 2, 3)", "\x1b[2J" * 99]
)
def test_what_is_no_color_is_said(text):
    with pytest.raises(ValueError, match=r"color|takes|from 0") as caught:
        parse_color(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250
    if text == "redd":
        assert "'red'" in str(caught.value)


def colors(value, folder=None):
    return [byte(*each) for each in Palette.model_validate(value).rgb(folder)]


def test_lists_unions_and_ramps():
    assert colors("red") == [(255, 0, 0)]
    assert colors("[red, white; rgb(0, 0, 0)]") == [(255, 0, 0), (255, 255, 255), (0, 0, 0)]
    assert colors(["red", "red", "white"]) == [(255, 0, 0), (255, 255, 255)]
    assert colors("black->white\\3") == [(0, 0, 0), (128, 128, 128), (255, 255, 255)]
    assert colors("black->red->yellow\\5")[1:4] == [(128, 0, 0), (255, 0, 0), (255, 128, 0)]
    assert len(colors("black->white")) == 16
    assert colors([{"colors": ["red"]}, "white"]) == [(255, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize(
    "value",
    ["redd", [], {}, 3, "red\\4", "a->b\\0", "black->white\\99999", {"colors": ["red"], "file": "x.gpl"},
     ["black->white\\1024", "black->red\\1024"], {"image": "x.png", "count": 0}, {"palettes": []}],
)  # fmt: skip
def test_wrong_palettes_are_refused(value):
    with pytest.raises(ValidationError):
        Palette.model_validate(value)


def ase(model: bytes, *values: float) -> bytes:
    name = "name\0".encode("utf-16-be")
    body = struct.pack(">H", 5) + name + model + struct.pack(f">{len(values)}fH", *values, 0)
    group = struct.pack(">HIH", 0xC001, 12, 5) + name
    return b"ASEF" + struct.pack(">HHI", 1, 0, 2) + group + struct.pack(">HI", 1, len(body)) + body


FILES = {
    "a.hex": b"ff0000\r\n;comment\n#FFFFFF\n",
    "a.gpl": b"GIMP Palette\nName: x\nColumns: 2\n# comment\n255   0   0\tred\n255 255 255 white\n",
    "a.pal": b"JASC-PAL\r\n0100\r\n2\r\n255 0 0\r\n255 255 255\r\n",
    "riff.pal": b"RIFF" + struct.pack("<I", 24) + b"PAL data" + struct.pack("<IHH", 12, 0x300, 2) + b"\xff\0\0\0\xff\xff\xff\0",
    "raw.pal": b"\xff\0\0\xff\xff\xff",
    "a.act": b"\xff\0\0\xff\xff\xff" + bytes(762) + struct.pack(">HH", 2, 0xFFFF),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_palette_files(name, tmp_path):
    (tmp_path / name).write_bytes(FILES[name])
    assert read_palette_file(tmp_path / name) == [RED, WHITE]
    assert colors(name, tmp_path) == [(255, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize(
    ("content", "color"),
    [
        (ase(b"RGB ", 1, 0, 0), (255, 0, 0)),
        (ase(b"CMYK", 0, 1, 1, 0), (255, 0, 0)),
        (ase(b"Gray", 1), (255, 255, 255)),
        (ase(b"LAB ", 0.5429, 80.81, 69.89), (255, 0, 0)),  # red, with the white of D50
    ],
)
def test_swatches(content, color, tmp_path):
    (tmp_path / "a.ase").write_bytes(content)
    (found,) = read_palette_file(tmp_path / "a.ase")
    assert all(abs(a - b) <= 2 for a, b in zip(byte(*found), color, strict=True))


HOSTILE = {
    "empty.hex": b"",
    "words.hex": b"red\n",
    "many.hex": b"ff0000\n" * 2000,
    "big.hex": b"ff0000\n" * 200_000,
    "range.gpl": b"GIMP Palette\n256 0 0\n",
    "minus.gpl": b"GIMP Palette\n-1 0 0\n",
    "digits.gpl": b"GIMP Palette\n" + b"9" * 9999 + b" 0 0\n",
    "other.gpl": b"<html>",
    "short.pal": b"JASC-PAL\n0100\n9\n1 2 3\n",
    "count.pal": b"JASC-PAL\n0100\n" + b"9" * 5000 + b"\n1 2 3\n",
    "riff.pal": b"RIFF" + bytes(4) + b"PAL data" + struct.pack("<IHH", 12, 0x300, 60000),
    "wave.pal": b"RIFF" + bytes(4) + b"WAVE",
    "long.act": bytes(773),
    "count.act": bytes(768) + struct.pack(">HH", 300, 0),
    "cut.ase": ase(b"RGB ", 1, 0, 0)[:-9],
    "model.ase": ase(b"SPOT", 1, 0, 0),
    "nan.ase": ase(b"RGB ", float("nan"), 0, 0),
    "endless.ase": b"ASEF" + struct.pack(">HHI", 1, 0, 2**32 - 1) + struct.pack(">HI", 2, 0) * 5000,
    "length.ase": b"ASEF" + struct.pack(">HHI", 1, 0, 2) + struct.pack(">HI", 2, 2**32 - 1),
    "drawing.ase": struct.pack("<IHH", 99, 0xA5E0, 1) + bytes(99),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_files_of_strangers_get_one_line(name, tmp_path):
    (tmp_path / name).write_bytes(HOSTILE[name])
    with pytest.raises(ImageError, match=name) as caught:
        read_palette_file(tmp_path / name)
    assert len(str(caught.value)) < 400


def test_folders_and_missing_files_are_said(tmp_path):
    (tmp_path / "folder.gpl").mkdir()
    for name in ("folder.gpl", "missing.gpl"):
        with pytest.raises(ImageError, match=name):
            read_palette_file(tmp_path / name)


def test_a_picture_gives_its_main_colors(tmp_path):
    image = Image.new("RGB", (30, 20), "white")
    image.paste("red", (0, 0, 10, 10))
    image.save(tmp_path / "a.png")
    assert colors("a.png", tmp_path) == [(255, 255, 255), (255, 0, 0)]
    shades = Image.linear_gradient("L").convert("RGB")
    shades.save(tmp_path / "shades.png")
    few = colors({"image": "shades.png", "count": 4}, tmp_path)
    assert len(few) == 4
    assert max(few)[0] - min(few)[0] > 150
