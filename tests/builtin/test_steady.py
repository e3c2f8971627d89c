"""Steady: frames that stay near what they began from."""

import signal
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from stopper import Stopper

import pixforge
from pixforge.builtin.losses.steady import Steady, SteadyConfig
from pixforge.contracts import Film, View
from pixforge.errors import InputError
from pixforge.testing import make_context

FILM = Film(fps=10, steps_per_frame=3, first_frame_steps=2)


def value(loss, step, level, embeddings=None):
    image = torch.full((1, 3, 2, 2), level, requires_grad=True)
    seen = None if embeddings is None else {"fake": embeddings}
    view = View(image, None, loss.context, step, embeddings=seen)
    return loss.forward(view).detach()


def test_pixels_are_compared_with_those_that_the_frame_began_from():
    loss = Steady(SteadyConfig(), make_context((2, 2), 1, steps=11, film=FILM))
    assert [float(value(loss, step, 0.1 * step)) for step in range(2)] == [0, 0]  # the first frame is free
    found = [float(value(loss, step, 0.1 * step)) for step in range(2, 8)]
    assert found == pytest.approx([0, 0.01, 0.04] * 2, abs=1e-6)


def test_content_is_compared_with_the_mean_of_what_cutouts_showed():
    loss = Steady(SteadyConfig(by="content"), make_context((2, 2), 1, steps=11, film=FILM))
    assert loss.sees_features
    right, up = torch.tensor([1.0, 0]), torch.tensor([0.0, 1])
    both = torch.stack([right, up])[None]
    assert float(value(loss, 2, 0.5, both)) == pytest.approx(1 - 0.5**0.5, abs=1e-6)
    assert float(value(loss, 3, 0.5, torch.stack([right, right])[None])) == pytest.approx(
        1 - 0.5**0.5, abs=1e-6
    )
    assert float(value(loss, 4, 0.5, torch.stack([-right, -up])[None])) == pytest.approx(
        1 + 0.5**0.5, abs=1e-6
    )


def test_it_needs_a_film(caplog):
    with pytest.raises(InputError, match="steady needs `film:`"):
        Steady(SteadyConfig(), make_context((2, 2), 1))
    Steady(SteadyConfig(), make_context((2, 2), 1, film=Film(steps_per_frame=1)))
    assert "does nothing with film.steps_per_frame: 1" in caplog.text


RECIPE = {
    "film": {"fps": 10, "steps_per_frame": 4, "first_frame_steps": 4},
    "steps": 12,
    "prompts": ["red"],
    "plugins": ["fake.py"],
    "perceptors": ["fake"],
    "seed": 1,
    "size": 32,
    "generator": "pixels",
    "init": "noise",
    "augmentations": ["noise"],
    "cutouts": {"count": 3},
    "optimizer": {"learning_rate": 0.2},
    "exporters": [{"type": "film", "format": "apng"}],
}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("fake.py").write_text("from pixforge.testing import pixforge_perceptors\n")


def test_frames_change_less():
    def change(*losses):
        made = pixforge.load_recipe({**RECIPE, "losses": list(losses)})
        frames = [each.image for each in pixforge.optimize(made) if made.film.frame(each.step) is not None]
        return sum(float((a - b).abs().mean()) for a, b in pairwise(frames))

    assert change({"type": "steady", "weight": 300}) < 0.7 * change()


def test_what_a_camera_moved_is_held_where_it_moved_to():
    """pytti's stabilization compares with the frame before as the camera has moved it: here 8 of 32 pixels to the right."""

    def frames(*losses):
        camera = {"type": "camera", "pan_x": 0.25, "per": "frame", "infill": "wrap"}
        made = pixforge.load_recipe({**RECIPE, "edits": [camera], "losses": list(losses)})
        return [each.image for each in pixforge.optimize(made) if made.film.frame(each.step) is not None]

    def change(made, shift):
        return sum(float((a.roll(shift, -1) - b).abs().mean()) for a, b in pairwise(made))

    free, held = frames(), frames({"type": "steady", "weight": 300})
    assert change(held, 8) < 0.7 * change(free, 8)
    assert change(held, 8) < 0.7 * change(held, 0)


@pytest.mark.parametrize("by", ["pixels", "content"])
def test_a_stop_in_the_middle_of_a_frame_changes_nothing(by):
    made = pixforge.load_recipe({**RECIPE, "losses": [{"type": "steady", "by": by}]})
    pixforge.render(made, "whole")
    assert pixforge.render(made, "cut", progress=Stopper(6)).signal == signal.SIGINT
    pixforge.resume("cut")
    assert Path("cut/film.png").read_bytes() == Path("whole/film.png").read_bytes()
