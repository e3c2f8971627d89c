from __future__ import annotations

import errno

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from pixforge.builtin.exporters.still import Still, StillConfig
from pixforge.errors import RecipeError
from pixforge.media.metadata import read_recipe


def save(output, report, until=None, **config):
    still = Still(StillConfig(**config), output)
    for step in range((output.steps if until is None else until) + 1):
        still.write(report(step, output))
    still.close()
    return still.files()


@pytest.mark.parametrize(
    ("format_", "name"), [("png", "image.png"), ("jpeg", "image.jpg"), ("webp", "image.webp")]
)
def test_last_picture_with_its_recipe(output, report, format_, name):
    made = output()
    assert save(made, report, format=format_) == [name]
    assert read_recipe(made.folder / name) == made.recipe
    with Image.open(made.folder / name) as image:
        assert (image.size, image.format) == (made.size, format_.upper())
        assert np.abs(np.asarray(image.convert("RGB"))[0, 0] - np.array([0, 0, 255])).max() < 20
    assert [file.name for file in made.folder.iterdir()] == [name]


def test_png_is_exact(output, report):
    made = output(steps=10)
    save(made, report, until=3)
    with Image.open(made.folder / "image.png") as image:
        assert np.array_equal(np.asarray(image), report(3, made).pixels[0])


def test_a_picture_for_each_canvas(output, report):
    made = output(canvases=3)
    assert save(made, report) == ["image-00.png", "image-01.png", "image-02.png"]
    with Image.open(made.folder / "image-02.png") as image:
        assert image.getpixel((0, 0)) == (0, 64, 255)


def test_pictures_on_the_way(output, report):
    made = output(steps=100)
    names = save(made, report, every=50)
    assert names == ["image.png", "image-step-00050.png", "image-step-00100.png"]
    assert {file.name for file in made.folder.iterdir()} == set(names)


def test_without_metadata(output, report):
    made = output()
    save(made, report, metadata=False)
    with pytest.raises(RecipeError, match="carries no recipe"):
        read_recipe(made.folder / "image.png")


def test_quality_changes_the_size(output, report):
    made = output(size=(64, 64))
    sizes = []
    for quality in (5, 95):
        still = Still(StillConfig(format="webp", quality=quality), made)
        noisy = report(0, made)
        noisy.image.uniform_()
        still.write(noisy)
        still.close()
        sizes.append((made.folder / "image.webp").stat().st_size)
    assert sizes[0] < sizes[1] / 2


def test_quality_of_a_png_is_an_error():
    with pytest.raises(ValidationError, match="png is exact"):
        StillConfig(quality=50)


def test_recipe_too_long_for_a_jpeg_is_said_before_the_run(output):
    with pytest.raises(RecipeError, match="metadata: none"):
        Still(StillConfig(format="jpeg"), output(recipe="x" * 70_000))


def test_full_disk_leaves_the_picture_before(output, report, monkeypatch):
    made = output()
    save(made, report)
    before = (made.folder / "image.png").read_bytes()

    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="No space"):
        save(made, report)
    assert (made.folder / "image.png").read_bytes() == before
    assert [file.name for file in made.folder.iterdir()] == ["image.png"]
