"""Averaging over cutouts: a share of the prompt term compares their mean with the prompts."""

import pytest
import torch

import pixforge
from pixforge.engine.build import build
from pixforge.engine.perception import mean_pull
from pixforge.errors import InputError

FAKE = """
import pixforge
from pixforge.testing import FakePerceptor

@pixforge.hookimpl
def pixforge_perceptors():
    return [FakePerceptor]
"""


@pytest.fixture
def terms(tmp_path):
    """The prompt term and the gradient on the picture of a recipe's first step."""
    (tmp_path / "fake.py").write_text(FAKE)

    def _terms(prompts=("red", "blue"), chunk=None, **perceptor):
        data = {
            "prompts": list(prompts), "size": 32, "steps": 2, "seed": 1, "init": "noise", "generator": "pixels",
            "plugins": [str(tmp_path / "fake.py")], "perceptors": [{"type": "fake", **perceptor}], "losses": [],
            "cutouts": {"type": "random", "count": 4, "smallest": 0.3}, "augmentations": [],
        }  # fmt: skip
        if chunk:
            data["chunk"] = chunk
        session = build(pixforge.load_recipe(data))
        leaf = session.generator.forward(0).detach().requires_grad_()
        term = session.perception.terms(leaf, 0)["prompt"]
        return term, leaf.grad

    return _terms


def test_the_mean_of_two_cutouts_is_compared_by_hand():
    """Cutouts (1, 0) and (0, 1), target (1, 0): their mean is at 45 degrees."""
    seen = torch.eye(2)[None]
    value, gradient = mean_pull(seen, torch.tensor([[[1.0, 0.0]]]), torch.ones(1), None, "cosine")
    torch.testing.assert_close(value, torch.tensor([1 - 0.5**0.5]))
    # Of 1 - m / |m|, m = (.5, .5), by m: (-.5, .5) / sqrt(.5); each cutout is half of m.
    torch.testing.assert_close(gradient, torch.tensor([[[-0.25, 0.25]] * 2]) / 0.5**0.5)


def test_a_share_of_it_is_that_share_of_both_terms_and_gradients(terms):
    plain, whole, mixed = (terms(similarity="cosine", averaging=share) for share in (0.0, 1.0, 0.3))
    assert not torch.allclose(plain[0], whole[0], atol=1e-4)
    for each, other, found in zip(plain, whole, mixed, strict=True):
        torch.testing.assert_close(found, 0.7 * each + 0.3 * other)


def test_it_does_not_depend_on_chunks(terms):
    for whole, parts in zip(terms(averaging=0.5), terms(averaging=0.5, chunk=1), strict=True):
        torch.testing.assert_close(whole, parts)


def test_prompts_of_a_region_are_refused(terms):
    with pytest.raises(InputError, match="averaging of fake compares all cutouts at once"):
        terms(prompts=("red", {"text": "blue", "where": "left"}), averaging=0.3)
