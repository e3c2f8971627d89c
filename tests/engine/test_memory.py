"""Compare the estimated memory of a recipe with that of a separate process."""

import json
import re
import subprocess
import sys

import pytest
import torch

import pixforge
from pixforge.engine import memory, room
from pixforge.engine.build import build
from pixforge.errors import InputError

RUN = """
import json, sys, torch, pixforge
from pixforge.engine import room
recipe = pixforge.load_recipe(json.loads(sys.argv[1]))
for _ in pixforge.optimize(recipe): pass
print(room.peak(torch.device("cpu")))
"""
RECIPES = {
    "default": {},
    "four canvases": {"canvases": 4},
    "many cutouts": {"cutouts": {"type": "pixray", "count": 96}, "generator": "pixels"},
    "vqgan": {
        "generator": {"type": "vqgan", "model": "embedded"},
        "size": [320, 256],
        "chunk": 8,
        "init": "noise",
    },
}


@pytest.mark.skipif(not room.STATUS.exists(), reason="needs Linux's count of a process' memory")
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(fields, id=name, marks=[] if name == "vqgan" else pytest.mark.slow)
        for name, fields in RECIPES.items()
    ],
)
def test_within_a_fifth_of_what_is_measured(fields, tmp_path):
    recipe = {"prompts": ["a red heart"], "steps": 3, "seed": 1, **fields}
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recipe))
    check = [sys.executable, "-m", "pixforge", "check", "--memory", str(path)]
    said = subprocess.run(check, capture_output=True, text=True, check=True).stdout
    number, unit = re.search(r"needs about ([\d.]+) (MiB|GiB) on cpu", said).groups()
    estimated = float(number) * {"MiB": 2**20, "GiB": 2**30}[unit]
    command = [sys.executable, "-c", RUN, json.dumps(recipe)]
    measured = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert estimated == pytest.approx(measured, rel=0.2)


def test_a_smaller_chunk_needs_less_and_more_canvases_need_more():
    def step(**fields):
        return memory.estimate(
            pixforge.load_recipe({"prompts": ["a"], "seed": 1, "size": 64, "init": "noise", **fields})
        ).step

    plain = step()
    assert step(chunk=4) < 0.9 * plain
    assert step(canvases=3) > 1.5 * plain


@pytest.mark.skipif(not room.RESET.exists(), reason="needs Linux's count of a process' memory")
def test_networks_that_are_gone_before_the_first_step_are_counted():
    """An init that fills 256 MiB for a moment; what others did before does not count.

    In a process of its own: what earlier tests freed may still be the process', and would be filled first.
    """
    program = """
import torch
import pixforge
from pixforge.builtin.inits.noise import Noise
from pixforge.engine import memory

recipe = pixforge.load_recipe({"prompts": ["a"], "seed": 1, "size": 32, "init": "noise"})
torch.ones(2**27)
plain, start = memory.estimate(recipe), Noise.start
Noise.start = lambda self, generator: (torch.ones(2**26), start(self, generator))[1]
found = memory.estimate(recipe)
print(found.start - plain.start, found.total - found.start)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    more, beside = map(int, done.stdout.split())
    assert more == pytest.approx(2**28, rel=0.2)
    assert beside == 0


def test_nothing_of_the_estimate_stays_behind():
    recipe = pixforge.load_recipe({"prompts": ["a"], "seed": 1, "size": 32, "steps": 1, "init": "noise"})
    before = next(build(recipe).run()).image
    memory.estimate(recipe)
    after = next(build(recipe).run()).image
    assert type(after) is torch.Tensor
    assert torch.equal(before, after)


def test_pictures_that_cannot_fit_are_refused_before_anything_is_made(monkeypatch):
    made = pixforge.load_recipe(
        {"prompts": ["red"], "size": [64, 32], "canvases": 2, "device": "cpu", "init": "noise"}
    )
    needed = 3 * 2 * 3 * 4 * 64 * 32
    monkeypatch.setattr(room, "free", lambda _: needed - 1)
    with pytest.raises(InputError, match="2 x 64 x 32 pixels need at least"):
        build(made)
    monkeypatch.setattr(room, "free", lambda _: None)  # where nobody knows, it is tried
    assert build(made).context.batch == 2


COMPONENTS = [
    {"filters": ["blur", "grayscale", "posterize", "rim", "roll", "sharpen", "upscale", "wallpaper"]},
    {"filters": [{"type": "lookup", "colors": "red, blue"}, {"type": "blur", "where": "left"}]},
    {"prompts": ["red", {"text": "blue", "where": {"ellipse": ["10%", "10%", "90%", "90%"], "feather": 4}}]},
    {"losses": [{"type": "smoothness", "where": "left"}]},
    {"optimizer": "adamp"},
    {"optimizer": "prodigy"},
    {"edits": [{"type": "camera", "zoom": 1.1}]},
]


@pytest.mark.parametrize("fields", COMPONENTS, ids=str)
def test_every_kind_of_component_is_counted(fields):
    recipe = {
        "prompts": ["red"],
        "seed": 1,
        "size": [48, 32],
        "init": "noise",
        "generator": "pixels",
        **fields,
    }
    found = memory.estimate(pixforge.load_recipe(recipe))
    assert 2**20 < found.step < 2**30


def test_the_state_of_an_optimizer_that_asks_for_values_is_guessed():
    def step(name):
        recipe = {"prompts": ["red"], "seed": 1, "size": 512, "init": "noise", "generator": "pixels"}
        fields = {
            "cutouts": {"type": "random", "count": 1},
            "augmentations": [],
            "losses": [],
            "optimizer": name,
        }
        return memory.estimate(pixforge.load_recipe({**recipe, **fields})).step

    assert step("prodigy") > step("adam") + 2 * 4 * 3 * 512**2


ASKS = """
from typing import Literal
import pixforge

class AskingConfig(pixforge.LossConfig):
    type: Literal["asking"] = "asking"

class Asking(pixforge.Loss[AskingConfig]):
    \"\"\"Looks at a value.\"\"\"
    def forward(self, view):
        return view.image.mean((1, 2, 3)) * float(view.image.max())

@pixforge.hookimpl
def pixforge_losses():
    return [Asking]
"""


def test_who_asks_for_values_is_named(tmp_path):
    (tmp_path / "asking.py").write_text(ASKS)
    recipe = {"prompts": ["red"], "seed": 1, "size": 32, "init": "noise", "losses": ["asking"]}
    recipe["plugins"] = [str(tmp_path / "asking.py")]
    with pytest.raises(InputError, match=r"^asking.py:11 asks for the value of a tensor"):
        memory.estimate(pixforge.load_recipe(recipe))
