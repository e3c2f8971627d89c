"""Maps of classes and depth keep their numbers, whatever the depth of the file."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from pixforge.errors import ImageError
from pixforge.media.values import read_classes, read_depth

CLASSES = np.zeros((16, 16), np.uint8)
CLASSES[:, 8:] = 3
CLASSES[8:] = 5


def palette():
    image = Image.fromarray(CLASSES, "P")
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0, 0, 0, 128, 128, 0, 128])
    return image


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("8.png", Image.fromarray(CLASSES)),
        ("16.png", Image.fromarray(CLASSES.astype(np.uint16))),
        ("16.tif", Image.fromarray(CLASSES.astype(np.uint16))),
        ("32.tif", Image.fromarray(CLASSES.astype(np.int32))),
        ("float.tif", Image.fromarray(CLASSES.astype(np.float32))),
        ("gray rgb.png", Image.fromarray(CLASSES).convert("RGB")),
        ("palette.png", palette()),
    ],
)
def test_classes_are_the_numbers_of_the_file(tmp_path, name, image):
    image.save(tmp_path / name)
    found = read_classes(tmp_path / name)
    assert (found.shape, found.dtype) == ((1, 16, 16), torch.float32)
    assert np.array_equal(found[0].numpy(), CLASSES)


def test_more_than_255_classes(tmp_path):
    Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30)).save(tmp_path / "x.png")
    assert read_classes(tmp_path / "x.png").flatten().tolist() == list(range(600))


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image.new("RGB", (4, 4), (1, 2, 3)), "it has colors"),
        (Image.fromarray(np.full((4, 4), -1, np.int32)), "no class numbers"),
        (Image.fromarray(np.full((4, 4), 0.5, np.float32)), "must be whole"),
        (Image.fromarray(np.full((4, 4), np.nan, np.float32)), "no class numbers"),
    ],
)
def test_what_is_no_map_of_classes_is_refused(tmp_path, image, reason):
    image.save(tmp_path / "x.tif")
    with pytest.raises(ImageError, match=reason):
        read_classes(tmp_path / "x.tif")


def test_depth_keeps_all_its_levels(tmp_path):
    values = np.arange(4096).reshape(64, 64)
    for name, kind, scale in (
        ("16.png", np.uint16, 65535),
        ("32.tif", np.int32, 4095),
        ("f.tif", np.float32, 4095),
    ):
        Image.fromarray(values.astype(kind)).save(tmp_path / name)
        found = read_depth(tmp_path / name)
        assert len(found.unique()) == 4096
        assert found.max() == pytest.approx(4095 / scale)


def test_depth_in_meters_with_holes(tmp_path):
    values = np.array([[1.5, 3.5, np.nan], [2.5, np.inf, 1.5]], np.float32)
    Image.fromarray(values).save(tmp_path / "x.tif")
    assert read_depth(tmp_path / "x.tif")[0].tolist() == [[0, 1, 0], [0.5, 1, 0]]
    Image.fromarray(values * np.nan).save(tmp_path / "x.tif")
    with pytest.raises(ImageError, match="none of its values is a finite number"):
        read_depth(tmp_path / "x.tif")


def test_depth_of_a_flat_map_and_of_8_bits(tmp_path):
    Image.fromarray(np.full((4, 4), 7, np.int32)).save(tmp_path / "x.tif")
    assert read_depth(tmp_path / "x.tif").eq(0).all()
    Image.new("RGB", (4, 4), (255, 0, 51)).save(tmp_path / "x.png")
    assert read_depth(tmp_path / "x.png")[:, 0, 0].tolist() == pytest.approx([1, 0, 0.2])
