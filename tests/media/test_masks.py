from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest
import torch
from PIL import Image

from pixforge.errors import ImageError
from pixforge.media.masks import read_mask

SIDE = 8


def half(kind, white):
    """Left half black, right half white."""
    values = np.zeros((SIDE, SIDE), kind)
    values[:, SIDE // 2 :] = white
    return Image.fromarray(values)


def with_alpha(gray, alpha):
    return Image.merge("LA", (gray, alpha))


HALF = half(np.uint8, 255)
FULL = Image.new("L", (SIDE, SIDE), 255)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("gray.png", HALF),
        ("rgb.png", HALF.convert("RGB")),
        ("one bit.png", HALF.convert("1")),
        ("16 bits.png", half(np.uint16, 65535)),
        ("32 bits of 1.tif", half(np.int32, 1)),
        ("32 bits of 255.tif", half(np.int32, 255)),
        ("32 bits of 65535.tif", half(np.int32, 65535)),
        ("float of 1.tif", half(np.float32, 1)),
        ("float of 255.tif", half(np.float32, 255)),
        ("transparent black.png", with_alpha(Image.new("L", (SIDE, SIDE), 0), HALF)),
        ("transparent white.png", with_alpha(FULL, HALF).convert("RGBA")),
        ("opaque alpha.png", with_alpha(HALF, FULL).convert("RGBA")),
        ("palette.png", HALF.convert("P")),
    ],
)
def test_every_kind_of_file_gives_the_same_mask(tmp_path, name, image):
    image.save(tmp_path / name)
    mask = read_mask(tmp_path / name, (SIDE, SIDE))
    assert (mask.dtype, mask.shape) == (torch.float32, (1, SIDE, SIDE))
    assert mask[..., : SIDE // 2].eq(0).all()
    assert mask[..., SIDE // 2 :].eq(1).all()


def test_a_transparent_color_of_a_palette_is_outside(tmp_path):
    image = HALF.quantize(2)
    image.save(tmp_path / "x.png", transparency=image.getpixel((0, 0)))
    mask = read_mask(tmp_path / "x.png", (SIDE, SIDE))
    assert mask[0, 0].tolist() == [0.0] * 4 + [1.0] * 4


def test_dark_16_bits_are_not_stretched(tmp_path):
    half(np.uint16, 255).save(tmp_path / "x.png")
    assert read_mask(tmp_path / "x.png", (SIDE, SIDE)).max() == pytest.approx(255 / 65535)


def test_16_bits_keep_their_small_differences(tmp_path):
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) + 30000
    Image.fromarray(values).save(tmp_path / "x.png")
    assert len(read_mask(tmp_path / "x.png", (8, 8)).unique()) == 64


def test_not_a_number_is_outside(tmp_path):
    values = np.ones((8, 8), np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    Image.fromarray(values).save(tmp_path / "x.tif")
    mask = read_mask(tmp_path / "x.tif", (8, 8))
    assert mask[0, 0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert mask[0, 1:].eq(1).all()


def test_small_stripes_become_their_mean_and_large_areas_stay_exact(tmp_path):
    values = np.zeros((640, 640), np.uint8)
    values[:, 1:320:2] = 255
    values[:, 480:] = 255
    Image.fromarray(values).save(tmp_path / "x.png")
    mask = read_mask(tmp_path / "x.png", (96, 32))
    assert mask.shape == (1, 32, 96)
    assert mask[0, :, 2:46].sub(0.5).abs().max() < 0.02
    assert mask[0, :, 50:70].eq(0).all()
    assert mask[0, :, 74:].eq(1).all()


def test_enlarged_it_stays_in_its_range_and_exact_far_from_the_edge(tmp_path):
    HALF.save(tmp_path / "x.png")
    mask = read_mask(tmp_path / "x.png", (80, 80))[0]
    assert 0 <= mask.min() <= mask.max() <= 1
    assert mask[:, :34].eq(0).all()
    assert mask[:, 46:].eq(1).all()


def test_camera_rotation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    HALF.save(tmp_path / "x.png", exif=exif)
    assert read_mask(tmp_path / "x.png", (SIDE, SIDE))[0, :, 0].tolist() == [0.0] * 4 + [1.0] * 4


def pipe(path):
    os.mkfifo(path)


def cut(path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:900])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no such file"),
        (pipe, "not an ordinary file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("mask"), "not a picture"),
        (cut, "damaged or cut short"),
    ],
)
def test_bad_files_say_which_and_why(tmp_path, make, reason):
    path = tmp_path / "mask.png"
    make(path)
    with pytest.raises(ImageError, match=reason) as caught:
        read_mask(path, (SIDE, SIDE))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_device_is_refused():
    with pytest.raises(ImageError, match=r"/dev/zero: cannot be read \(not an ordinary file\)"):
        read_mask("/dev/zero", (SIDE, SIDE))


def test_memory_stays_near_the_pixels(tmp_path):
    Image.new("I;16", (6000, 4000), 40000).save(tmp_path / "x.png")
    tracemalloc.start()
    try:
        read_mask(tmp_path / "x.png", (64, 64))
        assert tracemalloc.get_traced_memory()[1] < 24e6 * 10
    finally:
        tracemalloc.stop()
