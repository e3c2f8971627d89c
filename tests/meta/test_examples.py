"""Every example recipe validates, and renders: small, but through everything that it names."""

from pathlib import Path

import pytest
from PIL import Image

import pixforge

EXAMPLES = Path(__file__).parents[2] / "examples"
RECIPES = sorted(path for path in EXAMPLES.iterdir() if path.suffix in {".yaml", ".toml", ".json"})


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_example(path, tmp_path):
    recipe = pixforge.load_recipe(path)
    small = {"size": [48, 32], "cutouts.count": 2}
    if recipe.film is None:
        small["steps"] = 3
    else:
        small |= {"film.fps": 1, "film.steps_per_frame": 1, "film.first_frame_steps": 1}
    if recipe.init.type == "tokens":
        small["init.candidates"] = 1
    result = pixforge.render(pixforge.load_recipe(path, overrides=small), tmp_path / "out")
    assert len(result.images) == recipe.canvases
    assert result.manifest["status"] == "finished"
    stills = sorted((tmp_path / "out").glob("image*"))
    larger = 2 if any(each.type == "upscale" for each in recipe.filters) else 1
    assert [size_of(still) for still in stills] == [(48 * larger, 32 * larger)] * recipe.canvases
    assert any((tmp_path / "out").glob("progress.*" if recipe.film is None else "film.*"))


def test_the_quickstart_is_the_default_recipe():
    quickstart = pixforge.load_recipe(EXAMPLES / "quickstart.yaml")
    default = pixforge.load_recipe({"prompts": ["a red heart"], "seed": quickstart.seed})
    assert quickstart.resolved_yaml() == default.resolved_yaml()


def test_metadata_of_an_example_makes_the_same_picture_again(tmp_path):
    small = {"steps": 3, "size": [48, 48], "init.candidates": 1}
    first = pixforge.render(
        pixforge.load_recipe(EXAMPLES / "red-heart.yaml", overrides=small), tmp_path / "a"
    )
    second = pixforge.render(pixforge.load_recipe(tmp_path / "a" / "image.png"), tmp_path / "b")
    assert first.images[0].tobytes() == second.images[0].tobytes()
