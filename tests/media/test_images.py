from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from contextlib import suppress

import numpy as np
import pytest
import torch
from PIL import Image

from pixforge.errors import ImageError
from pixforge.media.images import read_image, resize, to_pil, to_tensor
from pixforge.testing import make_context


def bomb(width, height):
    """A PNG whose header claims a size that its data does not have."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def noise(width=40, height=30):
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8))


def damaged(tmp_path, kind):
    path = tmp_path / f"{kind}.png"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind in {"truncated", "flipped"}:
        noise().save(path)
        data = bytearray(path.read_bytes())
        if kind == "flipped":
            data[60] ^= 0xFF
        path.write_bytes(data[: len(data) // 2] if kind == "truncated" else data)
    elif kind == "cut jpeg":
        noise().save(path, "JPEG")
        path.write_bytes(path.read_bytes()[:600])
    elif kind != "missing":
        contents = {
            "empty": b"",
            "text": b"no picture at all",
            "bomb": bomb(9_000, 9_000),
            "huge bomb": bomb(60_000, 60_000),
            "header only": bomb(10, 10)[:33],
            "no pixels": bomb(10, 10),
            "zero size": bomb(0, 0),
            "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
        }
        path.write_bytes(contents[kind])
    return path


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "there is no such file"),
        ("folder", "is a folder"),
        ("fifo", "not an ordinary file"),
        ("empty", "is empty"),
        ("text", "not a picture"),
        ("postscript", "not a picture"),
        ("truncated", "damaged or cut short"),
        ("flipped", "damaged or cut short"),
        ("cut jpeg", "damaged or cut short"),
        ("header only", "damaged|not a picture"),
        ("no pixels", "damaged"),
        ("zero size", "damaged|not a picture"),
        ("bomb", "9000 x 9000 pixels, the limit is 64 million"),
        ("huge bomb", "pixels, the limit is 64 million"),
    ],
)
def test_bad_files_say_which_and_why(tmp_path, kind, reason):
    path = damaged(tmp_path, kind)
    with pytest.raises(ImageError, match=reason) as caught:
        read_image(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["a\0b.png", "x" * 5000])
def test_impossible_names(path):
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(path)


def test_file_size_limit(tmp_path):
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(300 * 2**20)
    with pytest.raises(ImageError, match="300 MiB, the limit is 256"):
        read_image(path)


def test_every_bit_flip_is_a_picture_or_an_image_error(tmp_path):
    path = tmp_path / "x.gif"
    noise(8, 8).quantize(16).save(path)
    data = path.read_bytes()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        with suppress(ImageError):
            assert read_image(path).mode == "RGB"


def test_content_decides_not_the_extension(tmp_path):
    path = tmp_path / "picture.jpg"
    noise().save(path, "PNG")
    assert np.array_equal(np.asarray(read_image(path)), np.asarray(noise()))


def test_camera_rotation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "x.png"
    noise(40, 30).save(path, exif=exif)
    assert np.array_equal(np.asarray(read_image(path)), np.rot90(np.asarray(noise(40, 30)), -1))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16"])
@pytest.mark.parametrize("height", [20, 600])  # at once, and in strips
def test_pictures_with_transparency_or_16_bits_are_turned_too(tmp_path, mode, height):
    exif = Image.Exif()
    exif[0x0112] = 6
    values = np.full((height, 40), 65535, np.uint16)
    values[:5] = 2000  # the top, which becomes the right side
    image = Image.fromarray(values)
    if mode != "I;16":
        image = Image.fromarray((values < 65535).astype(np.uint8) * 255)  # opaque at the top alone
        image = Image.merge(mode, [image.point(lambda _: 9)] * (len(mode) - 1) + [image])
    path = tmp_path / "x.png"
    image.save(path, exif=exif)
    for alpha in (False, True):
        found = read_image(path, alpha=alpha)
        assert found.size == (height, 40)
        assert found.getpixel((height - 1, 20))[0] < 10
    assert read_image(path).getpixel((0, 20)) == (255, 255, 255)


def saved(tmp_path, image, format_="PNG", **options):
    path = tmp_path / "x"
    image.save(path, format_, **options)
    return path


def palette_with_transparency():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    return image


@pytest.mark.parametrize(
    ("image", "format_", "options", "expected"),
    [
        (Image.new("RGBA", (2, 2), (255, 0, 0, 0)), "PNG", {}, (255, 255, 255)),
        (Image.new("RGBA", (2, 2), (0, 0, 0, 51)), "PNG", {}, (204, 204, 204)),
        (Image.new("LA", (2, 2), (0, 0)), "PNG", {}, (255, 255, 255)),
        (palette_with_transparency(), "PNG", {"transparency": 0}, (255, 255, 255)),
        (palette_with_transparency(), "GIF", {}, (255, 0, 0)),
        (Image.new("1", (2, 2), 1), "PNG", {}, (255, 255, 255)),
        (Image.new("L", (2, 2), 100), "PNG", {}, (100, 100, 100)),
        (Image.fromarray(np.full((2, 2), 0x8080, np.uint16)), "PNG", {}, (128, 128, 128)),
        (Image.fromarray(np.full((2, 2), 0xFFFF, np.uint16)), "TIFF", {}, (255, 255, 255)),
        (Image.fromarray(np.full((2, 2), 0.5, np.float32)), "TIFF", {}, (128, 128, 128)),
        (Image.new("CMYK", (2, 2), (0, 255, 255, 0)), "TIFF", {}, (255, 0, 0)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, image, format_, options, expected):
    found = read_image(saved(tmp_path, image, format_, **options))
    assert (found.mode, found.getpixel((0, 0))) == ("RGB", expected)


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP"])
def test_first_frame_of_an_animation(tmp_path, format_):
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    found = read_image(saved(tmp_path, red, format_, save_all=True, append_images=[blue]))
    assert np.abs(np.subtract(found.getpixel((4, 4)), (255, 0, 0))).max() < 5


def test_tensor_and_back():
    tensor = to_tensor(noise())
    assert (tensor.shape, tensor.dtype) == ((3, 30, 40), torch.float32)
    assert 0 <= tensor.min() < tensor.max() <= 1
    pixels = tensor.mul(255).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(np.asarray(to_pil(pixels)), np.asarray(noise()))


def test_resize_is_free_of_aliasing_and_keeps_the_range():
    stripes = (torch.arange(64) % 2).float().expand(1, 3, 64, 64)
    small = resize(stripes, (16, 8))
    assert small.shape == (1, 3, 8, 16)
    assert (small - 0.5).abs().max() < 0.1
    large = resize(stripes, (100, 70))
    assert large.min() >= 0
    assert large.max() <= 1


def test_a_picture_of_too_many_pixels_is_shrunk_by_a_whole_factor(tmp_path):
    dots = Image.fromarray((np.indices((30, 41)).sum(axis=0) % 2 * 255).astype(np.uint8))
    dots.save(tmp_path / "dots.png")
    assert read_image(tmp_path / "dots.png", most=30 * 41).size == (41, 30)
    small = read_image(tmp_path / "dots.png", most=30 * 41 // 4)
    assert small.size == (14, 10)
    inside = np.asarray(small)[:, :13]
    assert abs(inside.astype(float) - 127.5).max() < 15  # the mean of nine dots, none of them left out
    assert read_image(tmp_path / "dots.png", most=1).size == (2, 1)


def test_recipes_get_no_more_pixels_than_they_need(tmp_path, monkeypatch):
    monkeypatch.setattr("pixforge.media.images.ENOUGH", 1000)
    noise(200, 100).save(tmp_path / "large.png")
    small, large = (make_context(size, folder=tmp_path) for size in ((8, 8), (100, 50)))
    assert small.read_image("large.png").shape == (3, 20, 40)
    assert large.read_image("large.png").shape == (3, 100, 200)


def test_sixteen_bits_and_floats_are_converted_in_pieces(tmp_path):
    levels = np.arange(1200 * 2).reshape(1200, 2)
    Image.fromarray((levels * 27).astype(np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray((levels / levels.max()).astype(np.float32)).save(tmp_path / "float.tif")
    for name, scale in (("deep.png", 65535 / 27), ("float.tif", levels.max())):
        found = np.asarray(read_image(tmp_path / name))[..., 0]
        assert abs(found - levels / scale * 255).max() <= 0.51


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB")
def test_a_small_file_cannot_fill_the_memory(tmp_path):
    """124 kB of 64 megapixels in 16 bits, as the start of a run, took 1.7 GB."""
    Image.fromarray(np.zeros((8000, 8000), np.uint16)).save(tmp_path / "huge.png")
    code = "import resource, sys; from pathlib import Path; from pixforge.testing import make_context; "
    code += "make_context(folder=Path(sys.argv[1])).read_image('huge.png'); "
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1_200_000
