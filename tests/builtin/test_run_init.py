"""The init `run`: between the latents of two runs."""

import pytest
import torch
from safetensors.torch import save_file

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
