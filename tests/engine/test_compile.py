"""`compile: true`: the networks really go through torch.compile, and the gradient stays what it was."""

import pytest
import torch
from torch._dynamo.utils import counters

import pixforge
from pixforge.engine import build
from pixforge.engine.optimize import backward


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
def test_compiled_networks_give_the_same_gradient(tiny_folder):
    def gradient(**fields):
        base = {
            "prompts": ["a heart"],
            "seed": 1,
            "size": 32,
            "steps": 4,
            "cutouts": {"type": "random", "count": 3},
        }
        eye = {"type": "open_clip", "model": f"local-dir:{tiny_folder}"}
        session = build(pixforge.load_recipe({**base, "perceptors": [eye], **fields}))
        for step in range(2):
            backward(session, session.generator.forward(step), step)
        (latent,) = session.generator.latents().values()
        return latent.grad

    plain = gradient()
    counters.clear()
    compiled = gradient(compile=True)
    assert counters["stats"]["unique_graphs"] >= 1
    torch.testing.assert_close(compiled, plain, atol=1e-4 * float(plain.abs().max()), rtol=1e-3)
