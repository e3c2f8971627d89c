"""Euler's method and guidance, by hand; and what the networks are told."""

import pytest
import torch
from pixforge_unclip.mixing import difference, slerp
from pixforge_unclip.networks import Decoder, DecoderShape, Prior, PriorShape, time_features
from pixforge_unclip.sampling import embeddings, sample


def test_a_straight_way_is_walked_exactly():
    """With the velocity noise - data, one step and ten end at the data."""
    data, noise = torch.tensor([[3.0, -1.0]]), torch.tensor([[1.0, 1.0]])
    told = torch.zeros(1, 2)
    for steps in (1, 10):
        found = sample(lambda x, time, told: noise - data, told, noise, steps)
        torch.testing.assert_close(found, data)


def test_the_times_fall_from_one_and_never_reach_zero():
    times = []

    def still(x, time, told):
        times.append(float(time[0]))
        return torch.zeros_like(x)

    sample(still, torch.zeros(1, 1), torch.zeros(1, 1), 4)
    assert times == [1.0, 0.75, 0.5, 0.25]
    times.clear()
    sample(still, torch.zeros(1, 1), torch.zeros(1, 1), 2, start=0.5)
    assert times == [0.5, 0.25]


def test_euler_by_hand():
    """dx/dt = x in two steps from 1: 1 - 1/2 = .5, then .5 - .25 = .25."""
    found = sample(lambda x, time, told: x, torch.zeros(1, 1), torch.ones(1, 1), 2)
    assert found.item() == 0.25


@pytest.mark.parametrize(("guidance", "expected"), [(0.0, -1.0), (1.0, -3.0), (2.0, -5.0)])
def test_guidance_by_hand(guidance, expected):
    """The velocity is 1 untold and 3 told: 1 + g * 2, and one step goes back by it."""
    found = sample(
        lambda x, time, told: torch.where(told != 0, 3.0, 1.0),
        torch.ones(1, 1),
        torch.zeros(1, 1),
        1,
        guidance,
    )
    assert found.item() == expected


def test_embeddings_are_unit_vectors():
    found = embeddings(lambda x, time, told: torch.zeros_like(x), torch.zeros(3, 5), torch.randn(3, 5), 2)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))


def test_time_features_by_hand():
    """Of width 4: frequencies 1000 and 1000 ** .5."""
    found = time_features(torch.tensor([0.0, 0.01]), 4)
    torch.testing.assert_close(found[0], torch.tensor([1.0, 1.0, 0.0, 0.0]))
    angles = torch.tensor([10.0, 1000**0.5 * 0.01])
    torch.testing.assert_close(found[1], torch.cat([angles.cos(), angles.sin()]))


@pytest.mark.parametrize(
    ("network", "shape"),
    [(Prior(PriorShape(6, 8, 1)), (6,)), (Decoder(DecoderShape(6, 4, 4, 8, 8, 2)), (4, 4, 4))],
    ids=["prior", "decoder"],
)
def test_a_network_hears_the_time_and_the_embedding_of_each_row_alone(network, shape):
    torch.manual_seed(0)
    for each in network.parameters():
        each.data.add_(torch.randn_like(each) * 0.3)
    x, told = torch.randn(2, *shape), torch.randn(2, 6)
    with torch.no_grad():
        found = network(x, torch.tensor([0.5, 0.5]), told)
        assert found.shape == x.shape
        alone = network(x[:1], torch.tensor([0.5]), told[:1])
        torch.testing.assert_close(alone, found[:1], rtol=1e-4, atol=1e-5)
        assert (network(x, torch.tensor([0.2, 0.5]), told) - found)[0].abs().max() > 1e-3
        untold = network(x, torch.tensor([0.5, 0.5]), told * torch.tensor([[0.0], [1.0]]))
        assert (untold - found)[0].abs().max() > 1e-3
        torch.testing.assert_close(untold[1], found[1], rtol=1e-4, atol=1e-5)


def test_slerp_by_hand():
    """A third of the way from x to y of length 3: 30 degrees, length 1 + 2/3."""
    found = slerp(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]]), 1 / 3)
    torch.testing.assert_close(found, torch.tensor([[3**0.5 / 2, 0.5]]) * (5 / 3))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_slerp_is_finite_between_equal_and_opposite_vectors(sign):
    a = torch.tensor([[0.6, 0.8]])
    for share in (0.0, 0.3, 1.0):
        found = slerp(a, sign * a, share)
        torch.testing.assert_close(found, (1 - share) * a + share * sign * a)


def test_differences_by_hand():
    plus, minus = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    torch.testing.assert_close(difference(plus, minus), torch.tensor([0.5, -0.5]) * 2**0.5)
    torch.testing.assert_close(difference(None, minus), -minus)
    torch.testing.assert_close(difference(plus, None), plus)
