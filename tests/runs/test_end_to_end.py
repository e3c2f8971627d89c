"""The real recipe and engine, with a perceptor that is a single-file plugin and needs no weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pixforge.errors import ImageError
from pixforge.recipe import load_recipe
from pixforge.runs import render

PLUGIN = '''
from typing import Literal

import torch

from pixforge.contracts import Perceptor, PerceptorConfig
from pixforge.plugins.hookspecs import hookimpl


class ColorConfig(PerceptorConfig):
    type: Literal["color"] = "color"


class Color(Perceptor[ColorConfig]):
    """Sees the mean color alone; every text means red."""

    input_size = 8

    def encode_image(self, images):
        return torch.nn.functional.normalize(images.mean((2, 3)) + 1e-3, dim=-1)

    def encode_text(self, texts):
        return torch.tensor([[1.0, 0.0, 0.0]] * len(texts))

    def provenance(self):
        return {"sha256": "none"}


@hookimpl
def pixforge_perceptors():
    return [Color]
'''
RECIPE = """
prompts: [red]
seed: 3
size: [24, 16]
steps: 25
canvases: 2
device: cpu
generator: pixels
perceptors: [color]
cutouts: {type: random, count: 4}
augmentations: []
losses: []
exporters:
- still
- {type: video, seconds: 1, fps: 10}
plugins: [color.py]
"""


@pytest.fixture
def recipe_file(tmp_path):
    Path("color.py").write_text(PLUGIN)
    Path("red.yaml").write_text(RECIPE)
    return tmp_path / "red.yaml"


def test_recipe_becomes_a_picture_that_can_be_run_again(recipe_file):
    made = render(load_recipe(recipe_file))
    assert made.folder.resolve() == (recipe_file.parent / "outputs/red-1").resolve()
    assert [image.size for image in made.images] == [(24, 16)] * 2
    mean = np.asarray(made.images[0]).mean((0, 1))
    assert mean[0] > mean[1:].max() + 40
    found = json.loads((made.folder / "run.json").read_text())
    assert list(found["weights"].values()) == [{"sha256": "none"}]
    plugins = {plugin["name"]: plugin for plugin in found["plugins"]}
    assert {"color", "generators"} <= set(plugins)
    assert plugins["color"]["source"] == str(recipe_file.parent / "color.py")
    assert plugins["color"]["components"] == ["perceptor color"]

    for source in ("image-00.png", "progress.mp4", "recipe.yaml"):
        again = render(load_recipe(made.folder / source, trust="all"), f"again-{source}")
        assert np.array_equal(np.asarray(again.images[1]), np.asarray(made.images[1]))


def test_damaged_picture_leaves_nothing(recipe_file):
    Path("bad.png").write_bytes(b"no picture")
    recipe = load_recipe(recipe_file, {"init": {"type": "image", "image": "bad.png"}})
    with pytest.raises(ImageError, match=r"bad.png: is not a picture"):
        render(recipe)
    assert not Path("outputs").exists()
