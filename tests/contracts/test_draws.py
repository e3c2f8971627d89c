"""Random numbers depend only on seed, purpose and step."""

import torch

from pixforge.contracts import Draws
from pixforge.contracts.random import number_of_seed

CPU = torch.device("cpu")


def test_the_same_address_gives_the_same_numbers_in_any_order():
    draws = Draws([1, 2], CPU)
    first = draws.at("cutouts", 5).rand(3)
    draws.at("noise", 5).randn(100)
    draws.at("cutouts", 6).rand(3)
    assert torch.equal(draws.at("cutouts", 5).rand(3), first)


def test_seed_purpose_and_step_all_matter():
    draws = Draws([1], CPU)
    values = [
        float(Draws([seed], CPU).at(purpose, step).rand(1))
        for seed in (1, 2)
        for purpose in ("a", "b")
        for step in (0, 1)
    ]
    assert len(set(values)) == len(values)
    assert float(draws.at("a", 0).rand(1)) == values[0]


def test_a_canvas_draws_what_it_would_draw_alone():
    together = Draws([7, 8, 9], CPU).at("latent").randn(2, 2)
    alone = Draws([8], CPU).at("latent").randn(2, 2)
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(together[0], together[1])


def test_a_stream_goes_on():
    stream = Draws([1], CPU).at("a")
    assert not torch.equal(stream.rand(4), stream.rand(4))
    assert stream.uniform(2, 3, 1000).min() >= 2


def test_text_seeds():
    assert number_of_seed(12) == 12
    assert number_of_seed("sunflower") == number_of_seed("sunflower") != number_of_seed("sunflowers")
    assert 0 <= number_of_seed("") < 2**48
