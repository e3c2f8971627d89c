"""What generators and inits learn of the prompts before the first step."""

import pytest
import torch

import pixforge
from pixforge.engine.build import build

PLUGIN = '''
from typing import Literal
import torch
import pixforge
from pixforge.testing import FakePerceptor

class TintedConfig(pixforge.Config):
    type: Literal["tinted"] = "tinted"

class Tinted(pixforge.Generator[TintedConfig]):
    """One color, which is at first how well a red, a green and a blue picture fit the prompts."""
    def __init__(self, config, context):
        super().__init__(config, context)
        self.told, self.color = (), torch.zeros(context.batch, 3, 1, 1, requires_grad=True)

    def prepare(self, scorer):
        self.told = scorer.texts
        squares = torch.eye(3)[:, :, None, None].expand(-1, -1, 8, 8)
        self.color.copy_(scorer.similarity(squares).view(3, 1, 1))

    def latents(self):
        return {"color": self.color}

    def forward(self, step):
        return self.color.clamp(0, 1).expand(-1, -1, self.context.height, self.context.width)

class StartConfig(pixforge.Config):
    type: Literal["start"] = "start"

class Start(pixforge.Init[StartConfig]):
    """Notes what the generator knew."""
    def start(self, generator):
        self.found = generator.told

@pixforge.hookimpl
def pixforge_generators(): return [Tinted]

@pixforge.hookimpl
def pixforge_inits(): return [Start]

@pixforge.hookimpl
def pixforge_perceptors(): return [FakePerceptor]
'''


@pytest.fixture
def session(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    recipe = {
        "prompts": [{"text": "red", "weight": 2}, "white"], "seed": 1, "size": 32, "steps": 2, "init": "start",
        "plugins": [str(tmp_path / "mine.py")], "generator": "tinted", "perceptors": [{"type": "fake"}],
        "cutouts": {"type": "random", "count": 2},
    }  # fmt: skip
    return build(pixforge.load_recipe(recipe))


def test_a_generator_knows_the_prompts_before_the_init_starts(session):
    assert session.components["init"].found == ("red", "white")


def test_a_generator_may_score_pictures(session):
    red, green, blue = session.generator.latents()["color"].detach().flatten()
    assert red > green
    torch.testing.assert_close(green, blue)
