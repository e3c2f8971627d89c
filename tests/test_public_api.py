"""What a plugin of each kind takes: written with the public API alone, in as few lines as promised, and used by a recipe."""

import ast
import json

import pytest
from PIL import Image

import pixforge

EDIT = '''
from typing import Literal
import pixforge

class FadeConfig(pixforge.EditConfig):
    type: Literal["fade"] = "fade"

class Fade(pixforge.Edit[FadeConfig]):
    """Fades the picture to black."""
    def forward(self, images, step):
        return images * 0.5

@pixforge.hookimpl
def pixforge_edits():
    return [Fade]
'''
PROMPT = '''
from typing import Literal
import pixforge

class OppositeConfig(pixforge.PromptConfig):
    type: Literal["opposite"] = "opposite"
    opposite: str

class Opposite(pixforge.Prompt[OppositeConfig]):
    """The opposite of a text."""
    def texts(self):
        return [self.config.opposite]
    def targets(self, sight):
        return -sight.texts(self.texts())[0]

@pixforge.hookimpl
def pixforge_prompts():
    return [Opposite]
'''
CURVE = '''
from typing import Literal
import pixforge

class GrowthConfig(pixforge.CurveConfig):
    type: Literal["growth"] = "growth"
    growth: float

class Growth(pixforge.Curve[GrowthConfig]):
    """Grows evenly from 0."""
    def at(self, moment):
        return self.config.growth * moment.share
    def bounds(self):
        return 0, self.config.growth

@pixforge.hookimpl
def pixforge_curves():
    return [Growth]
'''
OPTIMIZER = '''
from typing import Literal
import torch, pixforge

class DescentConfig(pixforge.OptimizerConfig):
    type: Literal["descent"] = "descent"

class Descent(pixforge.Optimizer[DescentConfig]):
    """Plain descent."""
    def make(self, groups, rate):
        return torch.optim.SGD(groups, lr=rate)

@pixforge.hookimpl
def pixforge_optimizers(): return [Descent]
'''
PUBLIC = {"pixforge", "pixforge.contracts", "pixforge.testing", "typing", "torch", "pydantic"}
LIMITS = {"edit": (EDIT, 15), "prompt": (PROMPT, 15), "curve": (CURVE, 15), "optimizer": (OPTIMIZER, 10)}


@pytest.mark.parametrize(("source", "limit"), LIMITS.values(), ids=LIMITS)
def test_it_is_short_and_uses_the_public_api_alone(source, limit):
    lines = [line for line in source.splitlines() if line.strip()]
    assert len(lines) <= limit
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= PUBLIC
        if isinstance(node, ast.ImportFrom):
            assert node.module in PUBLIC


def render(tmp_path, source, **fields):
    (tmp_path / "mine.py").write_text(source)
    recipe = {
        "prompts": ["a red heart"], "seed": 1, "size": 32, "steps": 3, "generator": "pixels", "init": "noise",
        "plugins": ["mine.py"], "exporters": ["still"],
        "cutouts": {"type": "random", "count": 4}, **fields,
    }  # fmt: skip
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    return pixforge.render(pixforge.load_recipe(tmp_path / "recipe.yaml"), tmp_path / "out")


def test_an_edit(tmp_path):
    result = render(tmp_path, EDIT, edits=["fade"])
    (brightest,) = {max(high for _, high in image.getextrema()) for image in result.images}
    assert brightest < 140  # two halvings, before the second and the third step


def test_a_prompt_kind(tmp_path):
    result = render(tmp_path, PROMPT, prompts=[{"opposite": "a red heart"}])
    again = pixforge.load_recipe(result.folder / "recipe.yaml")
    assert again.prompts[0].opposite == "a red heart"
    assert result.metrics["prompt"] > 1  # far from where CLIP puts every picture


def test_a_curve(tmp_path):
    result = render(tmp_path, CURVE, losses=[{"type": "saturation", "weight": {"growth": 2.0}}])
    again = pixforge.load_recipe(result.folder / "recipe.yaml")
    assert again.losses[0].weight.plain() == {"growth": 2.0}
    rows = (result.folder / "metrics.csv").read_text().splitlines()
    assert len(rows) >= 4


def test_a_curve_out_of_the_bounds_of_a_field_is_refused(tmp_path):
    (tmp_path / "mine.py").write_text(CURVE)
    recipe = {
        "prompts": ["a"],
        "plugins": [str(tmp_path / "mine.py")],
        "optimizer": {"learning_rate": {"growth": -1.0}, "type": "adam"},
    }
    with pytest.raises(pixforge.PixforgeError, match="must be at least 0"):
        pixforge.load_recipe(recipe)


def test_an_optimizer(tmp_path):
    moved = render(tmp_path, OPTIMIZER, optimizer={"type": "descent", "learning_rate": 50})
    assert pixforge.load_recipe(moved.folder / "recipe.yaml").optimizer.type == "descent"
    with Image.open(moved.folder / "image.png") as image:
        assert image.size == (32, 32)


def test_a_new_kind_is_one_row_and_one_hook(tmp_path, monkeypatch):
    """`captions`, which nobody has: a row in the table of kinds, a hook of its name, and a recipe uses it."""
    from pixforge.contracts import Component
    from pixforge.plugins import kinds

    class Caption(Component):
        kind = "caption"

    row = kinds.Kind(
        "caption", "captions", Caption, pixforge.Config, "captions", "Words below it.", many=True
    )
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, row))
    source = '''
from typing import Literal
import pixforge
from pixforge.plugins.kinds import kind_named

class StampConfig(pixforge.Config):
    type: Literal["stamp"] = "stamp"
    words: str = "made by hand"

class Stamp(kind_named("caption").base):
    """Words below the picture."""
    config_type = StampConfig

@pixforge.hookimpl
def pixforge_captions():
    return [Stamp]
'''
    (tmp_path / "mine.py").write_text(source)
    recipe = pixforge.load_recipe(
        {
            "prompts": ["a"],
            "plugins": [str(tmp_path / "mine.py")],
            "captions": [{"type": "stamp", "words": "hi"}],
        }
    )
    assert recipe.captions[0].words == "hi"
    with pytest.raises(pixforge.PixforgeError, match=r"unknown caption 'stomp'.*Did you mean 'stamp'"):
        pixforge.load_recipe(
            {"prompts": ["a"], "plugins": [str(tmp_path / "mine.py")], "captions": ["stomp"]}
        )
