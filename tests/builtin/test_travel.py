"""Ways between latents and between prompts."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from PIL import Image

import pixforge
from pixforge.builtin.spherical import leg, slerp
from pixforge.errors import InputError, RecipeError
from pixforge.runs.events import Frame

FILM = {
    "film": {"fps": 4, "steps_per_frame": 1, "first_frame_steps": 1},
    "prompts": ["red"],
    "plugins": ["fake.py"],
    "perceptors": ["fake"],
    "seed": 1,
    "size": 32,
    "steps": 9,
    "generator": "pixels",
    "init": "noise",
    "augmentations": [],
    "losses": [],
    "cutouts": {"count": 2},
    "exporters": ["still"],
    "optimizer": {"learning_rate": 1e-6},
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("fake.py").write_text("from pixforge.testing import pixforge_perceptors\n")
    for name in ("red", "green", "blue"):
        Image.new("RGB", (40, 32), name).save(f"{name}.png")


def shown(**fields):
    run = pixforge.start(pixforge.load_recipe({**FILM, **fields}))
    return [event.report.image for event in run if isinstance(event, Frame)]


def test_a_quarter_turn_by_halves():
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    half = math.sqrt(0.5) * 2  # the length is between 1 and 3
    assert torch.allclose(slerp(a, b, 0.5), torch.tensor([[half, half]]))
    assert torch.allclose(
        slerp(a, b, 1 / 3)[0] / slerp(a, b, 1 / 3).norm(), torch.tensor([math.sqrt(0.75), 0.5])
    )
    assert torch.equal(slerp(a, a * 2, 0.5), a * 1.5)  # parallel
    assert torch.equal(slerp(a, a * 0, 0.5), a * 0.5)
    noises = torch.randn(2, 1, 4096)
    assert slerp(*noises, 0.5).std() == pytest.approx(1, abs=0.05)  # a mixture has 0.7


def test_legs():
    assert [leg(p, 3, loop=False) for p in (0, 0.25, 0.5, 1)] == [
        (0, 1, 0),
        (0, 1, 0.5),
        (1, 2, 0),
        (1, 2, 1),
    ]
    assert leg(5 / 6, 3, loop=True) == (2, 0, pytest.approx(0.5))
    assert leg(1, 3, loop=True) == (2, 0, 1)


@pytest.mark.parametrize("generator", ["pixels", "fourier"])
def test_a_film_goes_from_picture_to_picture(generator):
    edit = {"type": "travel", "stops": ["red.png", "green.png", "blue.png"]}
    found = [image.mean(dim=(0, 2, 3)) for image in shown(edits=[edit], generator=generator)]
    assert len(found) == 9
    assert found[4].argmax() == 1
    assert found[8].argmax() == 2
    assert (found[4] - torch.tensor([0, 128 / 255, 0])).abs().max() < 0.1
    assert found[1][0] > found[2][0] > found[3][0] > found[4][0]


def test_a_loop_of_seeds_closes_without_a_seam():
    edit = {"type": "travel", "stops": [1, 2, {"seed": 3}], "loop": True}
    images = shown(edits=[edit], steps=12)
    between = [float((a - b).abs().mean()) for a, b in pairwise(images)]
    seam = float((images[-1] - images[0]).abs().mean())
    assert min(between) > 0.005
    assert seam < 1.1 * max(between)
    other = shown(seed=2, steps=1)[0]
    assert torch.allclose(images[4], other, atol=1e-3)  # the stop of seed 2 is the noise of a run with it


def test_a_share_keeps_what_was_drawn():
    edit = {"type": "travel", "stops": ["blue.png", "blue.png"], "share": 0.5}
    init = {"type": "image", "image": "red.png"}
    line = [float(image[:, 0].mean()) for image in shown(edits=[edit], init=init)]
    assert line[0] > 0.9
    assert 0.2 < line[1] < 0.9
    assert line[8] < 0.1


def test_the_way_back_begins_and_ends_gently():
    from pixforge.builtin.edits.back import Return, ReturnConfig
    from pixforge.contracts import Film
    from pixforge.testing import make_context

    class Number:
        """A generator of one number."""

        def __init__(self):
            self.value = torch.zeros(1, requires_grad=True)

        def latents(self):
            return {"value": self.value}

        def state(self):
            return {}

    film = Film(fps=4, steps_per_frame=1, first_frame_steps=1)
    context = make_context(steps=9, film=film)
    back, generator, line = Return(ReturnConfig(frames=4), context), Number(), []
    with torch.no_grad():
        for step in range(1, 9):  # an edit acts after every frame but the last
            if step == 2:
                generator.value.fill_(64)
            if back.due(step):
                back.change_latent(generator, step)
            line.append(float(generator.value))
    # A smoothstep: 1 - 3 u^2 + 2 u^3 of 64 for u in quarters.
    assert line == pytest.approx([0, 64, 64, 64, 54, 32, 10, 0], abs=1e-4)


def test_a_stop_in_the_middle_changes_nothing():
    import numpy as np
    from stopper import Stopper

    edit = {"type": "travel", "stops": ["red.png", 5], "share": 0.3}
    recipe = pixforge.load_recipe({**FILM, "edits": [edit], "optimizer": {"learning_rate": 0.1}})
    whole = pixforge.render(recipe, "whole")
    pixforge.render(recipe, "cut", progress=Stopper(4))
    again = pixforge.resume("cut")
    assert np.array_equal(*(np.asarray(each.images[0]) for each in (again, whole)))


def test_a_prompt_travels_on_the_arc_between_texts():
    from types import SimpleNamespace

    from pixforge.builtin.prompts.travel import TravelPrompt, TravelPromptConfig
    from pixforge.testing import make_context

    def at(step, **fields):
        prompt = TravelPrompt(TravelPromptConfig(travel=["a", "b"], **fields), make_context(steps=5))
        sight = SimpleNamespace(step=step, texts=lambda texts: torch.eye(2)[: len(texts)])
        return [round(each, 3) for each in prompt.targets(sight).tolist()]

    assert [at(step) for step in (0, 2, 4)] == [[1, 0], [0.707, 0.707], [0, 1]]
    assert at(1) == [0.924, 0.383]
    assert at(4, loop=True) == [0.809, 0.588]  # on the way back: 0.4 of 90 degrees are left
    shown(prompts=[{"travel": ["red", "blue"]}], steps=2)


@pytest.mark.parametrize(
    ("stops", "message"),
    [
        (["red.png"], "at least 2 items"),
        (["red.png", "none.png"], "none.png"),
        ([1, {"image": "red.png", "seed": 3}], "a stop is a picture or a seed"),
        ([1, -1], "greater than or equal to 0"),
    ],
)
def test_mistakes_are_one_line(stops, message):
    with pytest.raises(RecipeError, match=message) as caught:
        pixforge.load_recipe({**FILM, "edits": [{"type": "travel", "stops": stops}]})
    assert "\n" not in str(caught.value)
    recipe = pixforge.load_recipe({**FILM, "edits": [{"type": "travel", "stops": [1, 2], "where": "left"}]})
    with pytest.raises(InputError, match="travel changes the whole latent"):
        pixforge.render(recipe, "out")
