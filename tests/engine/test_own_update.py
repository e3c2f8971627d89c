"""A generator that updates its latent itself."""

import numpy as np
import pytest
import torch

import pixforge
from pixforge.errors import InputError
from pixforge.testing import FakeDenoiser, FakeDenoiserConfig, check_component, make_context

PLUGIN = """
import pixforge
from pixforge.testing import FakeDenoiser, FakePerceptor

@pixforge.hookimpl
def pixforge_generators():
    return [FakeDenoiser]

@pixforge.hookimpl
def pixforge_perceptors():
    return [FakePerceptor]
"""


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    return {
        "prompts": ["red"], "seed": 1, "size": 32, "steps": 12, "plugins": [str(tmp_path / "mine.py")],
        "generator": "fake_denoiser", "perceptors": [{"type": "fake"}], "cutouts": {"type": "random", "count": 4},
        "exporters": ["still"], "init": "noise",
    }  # fmt: skip


def means(image):
    pixels = torch.from_numpy(np.array(image)).flatten(0, 1).float() / 255
    return pixels.mean(dim=0), pixels


def test_it_keeps_the_contract():
    check_component(FakeDenoiser)


def test_it_is_guided_to_what_the_prompt_says(recipe, tmp_path):
    made = pixforge.render(pixforge.load_recipe(recipe), tmp_path / "red")
    red, pixels = means(made.images[0])
    assert red[0] > red[1:].max() + 0.2
    other = pixforge.render(pixforge.load_recipe({**recipe, "prompts": ["blue"]}), tmp_path / "blue")
    blue, _ = means(other.images[0])
    assert blue[2] > blue[:2].max() + 0.2
    assert pixels.std(dim=0).max() > 0.1  # a picture of its distribution, not a flat color


def test_the_noise_is_gone_at_the_end():
    context = make_context(steps=4)
    generator = FakeDenoiser(FakeDenoiserConfig(), context)
    assert float(generator.latents()["noisy"].detach().std()) > 0.9
    for step in range(4):
        generator.forward(step).sum().backward()
        with torch.no_grad():
            generator.update(step, 0.0)
        generator.latents()["noisy"].grad = None
    assert 0.15 < float(generator.latents()["noisy"].detach().std()) < 0.35
    torch.testing.assert_close(generator.predicted(4), generator.latents()["noisy"])


def test_the_optimizer_is_not_asked(recipe, tmp_path):
    one = pixforge.render(
        pixforge.load_recipe({**recipe, "optimizer": {"type": "adam", "learning_rate": 0.1}}), tmp_path / "a"
    )
    two = pixforge.render(
        pixforge.load_recipe({**recipe, "optimizer": {"type": "sgd", "learning_rate": 0.1}}), tmp_path / "b"
    )
    assert one.images[0].tobytes() == two.images[0].tobytes()


def test_it_has_no_moments_to_reset(recipe, tmp_path):
    with pytest.raises(InputError, match=r"optimizer\.reset: fake_denoiser updates its latent itself"):
        pixforge.render(
            pixforge.load_recipe({**recipe, "optimizer": {"type": "adam", "reset": [3]}}), tmp_path / "run"
        )
