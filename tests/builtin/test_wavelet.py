"""The generator `wavelet`: an orthogonal transform that gives pictures back, place by place."""

import math

import pytest
import torch

from pixforge.builtin.generators.wavelet import Wavelet, WaveletConfig
from pixforge.builtin.generators.wavelet_filters import joined, lowpass, split, synthesis
from pixforge.testing import check_component, make_context

WAVES = ["haar", "db2", "db3", "db4", "db6", "db8", "coif1", "coif2"]


def test_filters_are_those_of_the_literature():
    """Daubechies' filter of four numbers in closed form, (1 + sqrt 3) / (4 sqrt 2) and so on."""
    root, unit = math.sqrt(3), 4 * math.sqrt(2)
    assert lowpass("haar") == pytest.approx([1 / math.sqrt(2)] * 2)
    assert lowpass("db2") == pytest.approx(
        [(1 + root) / unit, (3 + root) / unit, (3 - root) / unit, (1 - root) / unit]
    )


@pytest.mark.parametrize("wave", WAVES)
def test_filters_are_orthogonal_to_themselves_moved_by_two(wave):
    taps = torch.tensor(lowpass(wave), dtype=torch.float64)
    for move in range(len(taps) // 2):
        product = (taps[2 * move :] * taps[: len(taps) - 2 * move]).sum()
        assert float(product) == pytest.approx(1.0 if move == 0 else 0.0, abs=1e-9)


def test_haar_is_means_and_differences():
    """Of the square 1 2 / 3 4: half the sum; columns, rows and diagonals differ by half of 2, of 4, of 0."""
    low, detail = split(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), synthesis("haar"))
    assert float(low) == pytest.approx(5.0)
    assert sorted(abs(each) for each in detail.flatten().tolist()) == pytest.approx([0, 1, 2], abs=1e-5)


@pytest.mark.parametrize("wave", WAVES)
def test_splitting_and_joining_gives_the_picture_back(wave):
    filters, picture = synthesis(wave), torch.randn(2, 3, 8, 12, generator=torch.Generator().manual_seed(0))
    low, detail = split(picture, filters)
    torch.testing.assert_close(joined(low, detail, filters), picture, atol=1e-5, rtol=0)
    assert low.square().sum() + detail.square().sum() == pytest.approx(
        float(picture.square().sum()), rel=1e-4
    )


@pytest.mark.parametrize("size", [(48, 32), (37, 19), (5, 3)])
def test_a_picture_is_encoded_exactly_in_any_size(size):
    generator = Wavelet(WaveletConfig(), make_context(size, 1))
    width, height = size
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
    with torch.no_grad():
        generator.encode(image)
        torch.testing.assert_close(generator.forward(0), image, atol=1e-4, rtol=0)


def test_a_fine_coefficient_changes_one_place_only():
    generator = Wavelet(WaveletConfig(wave="haar", noise=0.0), make_context((32, 32), 1))
    with torch.no_grad():
        before = generator.forward(0)
        finest = list(generator.latents().values())[-1]
        finest[0, 0, 5, 7] += 5
        changed = (generator.forward(0) - before).abs().amax(dim=1)[0] > 1e-6
    assert changed.nonzero().tolist() == [[10, 14], [10, 15], [11, 14], [11, 15]]


def test_sharp_lets_fine_scales_move_more():
    def roughness(sharp):
        generator = Wavelet(WaveletConfig(sharp=sharp, noise=0.3), make_context((64, 64), 1))
        with torch.no_grad():
            image = generator.forward(0)
        return float((image[..., 1:] - image[..., :-1]).abs().mean())

    assert roughness(0.8) > 1.5 * roughness(0.0)


def test_it_keeps_the_contract():
    check_component(Wavelet)
