"""State and random numbers of components: each has its own."""

import pytest
import torch

import pixforge
from pixforge.engine.build import build

PLUGIN = '''
from typing import Literal
import torch
import pixforge
from pixforge.testing import FakePerceptor, FakePerceptorConfig

class SeeingConfig(FakePerceptorConfig):
    type: Literal["seeing"] = "seeing"

class Seeing(FakePerceptor, pixforge.Perceptor[SeeingConfig]):
    """A perceptor that counts."""
    def state(self):
        return {"seen": torch.tensor(3.0)}

class StartConfig(pixforge.Config):
    type: Literal["start"] = "start"

class Start(pixforge.Init[StartConfig]):
    """An init that remembers."""
    def start(self, generator): pass
    def state(self):
        return {"told": torch.tensor(5.0)}

class GrainConfig(pixforge.LossConfig):
    type: Literal["grain"] = "grain"

class Grain(pixforge.Loss[GrainConfig]):
    """Wants random numbers."""
    def forward(self, view):
        noise = view.draws("grain").rand(3, 1, 1).to(view.image)
        return ((view.image - noise) ** 2).mean((1, 2, 3))

@pixforge.hookimpl
def pixforge_perceptors(): return [Seeing]

@pixforge.hookimpl
def pixforge_inits(): return [Start]

@pixforge.hookimpl
def pixforge_losses(): return [Grain]
'''


@pytest.fixture
def session(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    recipe = {
        "prompts": ["red"], "seed": 1, "size": 32, "steps": 2, "plugins": [str(tmp_path / "mine.py")], "init": "start",
        "generator": "pixels", "perceptors": ["seeing"], "losses": ["grain", "grain"],
        "cutouts": {"type": "random", "count": 4},
    }  # fmt: skip
    return build(pixforge.load_recipe(recipe))


def test_state_is_asked_of_perceptors_and_inits_too(session):
    loop = session.run()
    next(loop)
    tensors = loop.state().tensors
    assert torch.equal(tensors["state/perceptor/seeing/seen"], torch.tensor(3.0))
    assert torch.equal(tensors["state/init/told"], torch.tensor(5.0))


def test_two_losses_of_one_type_draw_different_numbers(session):
    report = next(session.run())
    assert report.losses["grain"] != report.losses["grain-2"]
