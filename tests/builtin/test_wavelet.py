"""The generator `wavelet`: an orthogonal transform that gives pictures back, place by place."""

import math
from typing import get_args

import pytest
import torch
from pydantic import ValidationError

from pixforge.builtin.generators.wavelet import Wave, Wavelet, WaveletConfig
from pixforge.builtin.generators.wavelet_filters import joined, lowpass, split, synthesis
from pixforge.testing import check_component, make_context

WAVES = [*get_args(Wave)]
# Daubechies 1992, "Ten lectures on wavelets", table 6.3, divided by the square root of 2.
SYMLETS = {
    "sym4": "0.03222310 -0.01260397 -0.09921954 0.29785780 0.80373875 0.49761867 -0.02963553 -0.07576571",
    "sym5": "0.01953888 -0.02110183 -0.17532809 0.01660211 0.63397896 0.72340769 0.19939753 -0.03913425 0.02951949 "
    "0.02733307",
    "sym6": "-0.00780071 0.00176771 0.04472490 -0.02106029 -0.07263752 0.33792942 0.78764114 0.49105594 -0.04831174 "
    "-0.11799011 0.00349071 0.01540411",
    "sym7": "0.01026818 0.00401024 -0.10780824 -0.14004724 0.28862963 0.76776432 0.53610192 0.01744126 -0.04955283 "
    "0.06789269 0.03051551 -0.01263630 -0.00104739 0.00268181",
    "sym8": "0.00188995 -0.00030292 -0.01495226 0.00380875 0.04913718 -0.02721903 -0.05194584 0.36444189 0.77718575 "
    "0.48135965 -0.06127336 -0.14329424 0.00760749 0.03169509 -0.00054213 -0.00338242",
}


def test_filters_are_those_of_the_literature():
    """Daubechies' filter of four numbers in closed form, (1 + sqrt 3) / (4 sqrt 2) and so on."""
    root, unit = math.sqrt(3), 4 * math.sqrt(2)
    assert lowpass("haar") == pytest.approx([1 / math.sqrt(2)] * 2)
    assert lowpass("db2") == pytest.approx(
        [(1 + root) / unit, (3 + root) / unit, (3 - root) / unit, (1 - root) / unit]
    )


@pytest.mark.parametrize("wave", SYMLETS)
def test_symlets_are_the_published_ones(wave):
    assert lowpass(wave) == pytest.approx([float(each) for each in SYMLETS[wave].split()], abs=6e-9)


@pytest.mark.parametrize(
    ("wave", "moments"), [("haar", 1), ("db2", 2), ("db8", 8), ("sym4", 4), ("sym8", 8), ("coif2", 4)]
)
def test_wavelets_see_nothing_of_polynomials(wave, moments):
    """N vanishing moments: the high-pass filter, h turned round with alternating signs, of 1, x, x^2..."""
    taps = lowpass(wave)
    high = [(-1) ** place * tap for place, tap in enumerate(reversed(taps))]
    center = (len(taps) - 1) / 2
    sums = [
        sum(tap * (place - center) ** power for place, tap in enumerate(high)) for power in range(moments + 1)
    ]
    assert sums[:-1] == pytest.approx([0.0] * moments, abs=1e-4)
    assert abs(sums[-1]) > 0.1


def test_biorthogonal_wavelets_are_refused_with_those_that_work():
    with pytest.raises(
        ValidationError, match=r"bior4.4 do not fit: .*orthogonal ones, which are haar, .* sym8"
    ):
        WaveletConfig(wave="bior4.4")
    with pytest.raises(ValidationError, match="'sym8'"):
        WaveletConfig(wave="sym9")


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
