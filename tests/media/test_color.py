"""What a file says in the colors of its camera or screen is read as sRGB."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from pixforge.media.images import read_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
"""The primaries of Display P3 as XYZ, adapted to D50."""
WHITE = (0.9642, 1.0, 0.8249)


def numbers(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def text(value):
    data = value.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(data)) + data + b"\0" * 78


def curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def profile(space=b"RGB ", name="a screen", gamma=2.2):
    tags = {b"desc": text(name), b"wtpt": b"XYZ \0\0\0\0" + numbers(*WHITE)}
    if space == b"RGB ":
        for letter, primary in zip(b"rgb", P3, strict=True):
            tags[bytes([letter]) + b"XYZ"] = b"XYZ \0\0\0\0" + numbers(*primary)
            tags[bytes([letter]) + b"TRC"] = curve(gamma)
    else:
        tags[b"kTRC"] = curve(gamma)
    table, data, start = b"", b"", 132 + 12 * len(tags)
    for tag, value in tags.items():
        padded = value + b"\0" * (-len(value) % 4)
        table += tag + struct.pack(">II", start + len(data), len(padded))
        data += padded
    head = struct.pack(">I4sI4s4s4s", start + len(data), b"lcms", 0x02400000, b"mntr", space, b"XYZ ")
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + numbers(*WHITE) + b"\0" * 48
    return head + struct.pack(">I", len(tags)) + table + data


def read(tmp_path, image, icc, format_="PNG", **options):
    image.save(tmp_path / "x", format_, icc_profile=icc)
    return read_image(tmp_path / "x", **options)


def near(found, expected, by=3):
    return np.abs(np.subtract(found, expected)).max() <= by


@pytest.mark.parametrize("format_", ["PNG", "TIFF", "WEBP"])
def test_the_red_of_srgb_as_display_p3_has_it(tmp_path, format_):
    found = read(tmp_path, Image.new("RGB", (32, 1200), (234, 51, 35)), profile(), format_)
    assert near(found.getpixel((5, 5)), (255, 0, 0))
    assert near(found.getpixel((5, 1195)), (255, 0, 0))


def test_transparency_stays(tmp_path):
    image = Image.new("RGBA", (4, 4), (234, 51, 35, 128))
    image.putpixel((0, 0), (234, 51, 35, 0))
    found = read(tmp_path, image, profile(), alpha=True)
    assert near(found.getpixel((2, 2)), (255, 0, 0, 128))
    assert found.getpixel((0, 0))[3] == 0
    over_white = read(tmp_path, image, profile())
    assert over_white.getpixel((0, 0)) == (255, 255, 255)
    assert near(over_white.getpixel((2, 2)), (255, 127, 127))


def test_a_palette_and_a_gray_profile(tmp_path):
    found = read(tmp_path, Image.new("RGB", (4, 4), (234, 51, 35)).quantize(2), profile())
    assert near(found.getpixel((0, 0)), (255, 0, 0))
    linear = read(tmp_path, Image.new("L", (4, 4), 55), profile(b"GRAY", gamma=1.0))
    assert near(linear.getpixel((0, 0)), (128, 128, 128), 2)


@pytest.mark.parametrize(
    "icc",
    [SRGB, profile(name="sRGB IEC61966-2.1"), b"no profile at all", profile()[:200], profile(b"GRAY"), b""],
    ids=["srgb", "named srgb", "text", "cut", "of gray pictures", "empty"],
)
def test_what_is_srgb_or_no_use_changes_nothing(tmp_path, icc):
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
    assert np.array_equal(np.asarray(read(tmp_path, Image.fromarray(pixels), icc)), pixels)


def test_every_broken_byte_of_a_profile_gives_a_picture(tmp_path):
    whole = profile()
    image = Image.new("RGB", (4, 4), (234, 51, 35))
    for at in range(0, len(whole), 7):
        assert read(tmp_path, image, whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]).mode == "RGB"
