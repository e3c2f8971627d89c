"""The init `run`: between the latents of two runs."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import pixforge
from pixforge.builtin.generators.pixels import Pixels, PixelsConfig
from pixforge.builtin.inits.run import Run, RunConfig
from pixforge.contracts.latents import LATENT
from pixforge.errors import InputError
from pixforge.testing import make_context


def started(folder, **fields):
    """The latent of a generator that starts so."""
    context = make_context((2, 1), 1, folder=folder)
    generator = Pixels(PixelsConfig(), context)
    with torch.no_grad():
        Run(RunConfig(checkpoint="one.safetensors", **fields), context).start(generator)
    [latent] = [each for each in generator.latents().values() if each.requires_grad]
    return latent.detach()


def saved(folder, name, values):
    context = make_context((2, 1), 1)
    [(key, latent)] = Pixels(PixelsConfig(), context).latents().items()
    save_file({f"{LATENT}{key}": torch.tensor(values).view_as(latent)}, folder / f"{name}.safetensors")


@pytest.fixture
def two(tmp_path):
    saved(tmp_path, "one", [2.0, 0, 0, 0, 0, 0])
    saved(tmp_path, "two", [0.0, 4, 0, 0, 0, 0])
    return tmp_path


def test_at_the_ends_it_is_one_of_both(two):
    torch.testing.assert_close(started(two, other="two.safetensors", share=0.0), started(two))
    end = started(two, other="two.safetensors", share=1.0).flatten()
    torch.testing.assert_close(end, torch.tensor([0.0, 4, 0, 0, 0, 0]), atol=1e-5, rtol=0)


def test_halfway_has_the_direction_between_both_and_the_length_between_both(two):
    half = started(two, other="two.safetensors").flatten()
    each = 3 / 2**0.5
    torch.testing.assert_close(half, torch.tensor([each, each, 0, 0, 0, 0]))


def test_a_second_run_that_does_not_fit_is_named(two):
    save_file({f"{LATENT}z": torch.zeros(1, 3)}, two / "two.safetensors")
    with pytest.raises(InputError, match=r"init\.other: two\.safetensors: its '\w+' is"):
        started(two, other="two.safetensors")
    (two / "two.safetensors").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"init\.other: two\.safetensors: it cannot be read"):
        started(two, other="two.safetensors")


@pytest.fixture
def render(tmp_path, monkeypatch):
    """Makes small runs in a folder with a red and a blue picture."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fake.py").write_text("from pixforge.testing import pixforge_perceptors\n")
    for name in ("red", "blue"):
        Image.new("RGB", (8, 8), name).save(f"{name}.png")
    base = {
        "prompts": ["red"], "plugins": ["fake.py"], "perceptors": ["fake"], "seed": 1, "size": 16, "steps": 2,
        "augmentations": [], "losses": [], "cutouts": {"count": 1}, "exporters": ["still"],
    }  # fmt: skip

    def _render(out, **fields):
        return pixforge.render(pixforge.load_recipe({**base, **fields}), out).images[0]

    return _render


def begun(*names):
    others = {"other": f"{names[1]}/checkpoint.safetensors"} if names[1:] else {}
    return {"type": "run", "checkpoint": f"{names[0]}/checkpoint.safetensors", **others}


@pytest.mark.parametrize("generator", [{"type": "pixels"}, {"type": "palette", "lock": True, "scale": 1}])
def test_what_a_generator_keeps_beside_its_latent_comes_along(render, generator):
    end = render("red", init={"type": "image", "image": "red.png"}, generator=generator)
    again = render("again", init=begun("red"), generator=generator, steps=0, seed=2)
    assert end.tobytes() == again.tobytes()


def test_between_two_starts_from_pictures_the_pictures_are_mixed(render):
    still = {"generator": "pixels", "optimizer": {"learning_rate": 1e-9}}
    for name in ("red", "blue"):
        render(name, init={"type": "image", "image": f"{name}.png"}, **still)
    half = np.asarray(render("half", init=begun("red", "blue"), **still))
    # The logits of red and blue are opposite, so that they meet at gray.
    assert np.abs(half[..., (0, 2)].astype(int) - 128).max() <= 1
    assert half[..., 1].max() <= 2


def test_a_start_picture_of_another_grid_is_refused(two):
    tensors = {f"{LATENT}grid0": torch.zeros(1, 3, 1, 2), "state/generator/base": torch.zeros(1, 3, 5, 5)}
    save_file(tensors, two / "one.safetensors")
    with pytest.raises(InputError, match=r"one\.safetensors: it does not fit the generator \(base is"):
        started(two)
    tensors["state/generator/base"] = torch.full((1, 3, 1, 2), float("nan"))
    save_file(tensors, two / "one.safetensors")
    with pytest.raises(InputError, match=r"its 'base' holds numbers that are not finite"):
        started(two)
