"""Components that are made of others, by the context."""

import json
from pathlib import Path

import pytest
import torch

import pixforge
from pixforge.contracts import Draws, RunContext
from pixforge.errors import InputError, UnsupportedError
from pixforge.testing import make_context


def test_it_has_the_size_and_the_canvases_that_were_asked_for():
    context = make_context((48, 32), canvases=2)
    own = context.component("generator", {"type": "pixels"})
    assert own.forward(0).shape == (2, 3, 32, 48)
    other = context.component("generator", {"type": "pixels"}, size=(24, 8), canvases=3)
    assert other.forward(0).shape == (3, 3, 8, 24)


def test_its_canvases_draw_as_those_of_a_run_with_that_seed():
    made = make_context(canvases=1, seed=5).component("generator", {"type": "fourier"}, canvases=2)
    alone = make_context(canvases=1, seed=6).component("generator", {"type": "fourier"})
    torch.testing.assert_close(made.forward(0)[1:], alone.forward(0))


@pytest.mark.parametrize(
    ("kind", "fields", "complaint"),
    [
        (
            "generator",
            {"type": "nothing"},
            "there is no generator 'nothing'; known: fourier, palette, pixels, vqgan",
        ),
        ("generator", {}, "there is no generator None"),
        ("nothing", {"type": "pixels"}, "no kind of components that is called 'nothing'"),
        ("generator", {"type": "vqgan", "ema": 7}, "generator 'vqgan': ema: input should be less than 1"),
        ("generator", {"type": "pixels", "nonsense": 1}, "generator 'pixels': nonsense"),
    ],
)
def test_what_is_wrong_gets_one_line(kind, fields, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        make_context().component(kind, fields)
    assert "\n" not in str(caught.value)


def test_a_context_made_by_hand_says_that_it_has_none():
    device = torch.device("cpu")
    context = RunContext((8, 8), (), 1, device, torch.float32, Path(), Draws((), device))
    with pytest.raises(UnsupportedError, match="make_context gives one"):
        context.component("generator", {"type": "pixels"})


PLUGIN = '''
from typing import Literal
import pixforge


class PaintedConfig(pixforge.Config):
    """No options."""
    type: Literal["painted"] = "painted"


from pixforge.contracts import Init


class Painted(Init[PaintedConfig]):
    """Starts from what another generator of the recipe's plugins shows."""

    def start(self, generator):
        other = self.context.component("generator", {"type": "stripes"})
        generator.encode(other.forward(0).detach())

    def provenance(self):
        return {"name": "paint", "sha256": "0" * 64}


@pixforge.hookimpl
def pixforge_inits():
    return [Painted]
'''


def test_in_a_run_it_finds_what_plugins_bring_and_run_json_names_its_weights(tmp_path):
    stripes = Path(__file__).parents[2] / "plugins" / "stripes.py"
    (tmp_path / "painted.py").write_text(PLUGIN)
    recipe = {
        "prompts": ["a red heart"],
        "plugins": [str(tmp_path / "painted.py"), str(stripes)],
        "init": "painted",
        "generator": "pixels",
        "size": 32,
        "steps": 1,
        "exporters": ["still"],
        "cutouts": {"type": "random", "count": 1},
    }
    folder = pixforge.render(pixforge.load_recipe(recipe), tmp_path / "out").folder
    components = json.loads((folder / "run.json").read_text())["components"]
    assert components == {"init": {"name": "paint", "sha256": "0" * 64}}
