"""Cutouts and augmentations follow a curve in seconds at the pace of the film."""

import pytest
import torch

import pixforge
from pixforge.contracts import Film
from pixforge.testing import make_context

CHANGING = [
    ({"cutouts": {"type": "random", "overview": 0}}, "power"),
    ({"cutouts": {"type": "random", "overview": 0}}, "smallest"),
    ({"cutouts": {"type": "random", "smallest": 0.1}}, "overview"),
    ({"cutouts": {"type": "disco"}}, "power"),
    ({"cutouts": {"type": "disco"}}, "overview"),
    ({"cutouts": {"type": "pytti"}}, "mean"),
    ({"cutouts": {"type": "pytti"}}, "deviation"),
    ({"augmentations": [{"type": "affine"}]}, "degrees"),
    ({"augmentations": [{"type": "affine"}]}, "translate"),
    ({"augmentations": [{"type": "color"}]}, "hue"),
    ({"augmentations": [{"type": "color"}]}, "probability"),
]


def drawn(data, fps, step):
    """What is drawn at a step of a film: boxes of cutouts, or the matrices of an augmentation."""
    [field] = data
    recipe = pixforge.load_recipe({"prompts": ["a"], "steps": 400, "film": {"fps": fps}, **data})
    config = recipe.cutouts if field == "cutouts" else recipe.augmentations[0]
    film = Film(fps=fps, steps_per_frame=1, first_frame_steps=1)
    context = make_context(size=(96, 64), canvases=1, steps=400, film=film)
    component = recipe.origin.registry.of(
        config, "cutouts" if field == "cutouts" else "augmentation"
    ).component(config, context)
    stream = context.draws.at("same", device="cpu")
    if field == "cutouts":
        return component.place(stream, (96, 64), step, 32).boxes
    return component.color(stream, 16, step) if config.type == "color" else component.warp(stream, 16, step)


@pytest.mark.parametrize(("data", "name"), CHANGING)
def test_a_second_is_a_second_at_any_number_of_frames(data, name):
    [(field, value)] = data.items()
    wave = {"wave": "triangle", "period": "4s", "low": 0.2, "high": 0.45}
    changed = [{**value[0], name: wave}] if isinstance(value, list) else {**value, name: wave}
    slow, fast = drawn({field: changed}, 10, 11), drawn({field: changed}, 30, 31)  # both after one second
    torch.testing.assert_close(slow, fast)
    later = drawn({field: changed}, 10, 31)
    assert later.shape != slow.shape or not torch.equal(later, slow)
