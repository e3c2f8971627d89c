"""Losses have values worked out by hand, and minimizing a loss has the effect of its name."""

import math

import pytest
import torch

from pixforge.builtin.losses.gradient_length import mean_length
from pixforge.builtin.losses.palette import PaletteConfig, PaletteLoss
from pixforge.builtin.losses.range import Range, RangeConfig
from pixforge.builtin.losses.saturation import Saturation, SaturationConfig
from pixforge.builtin.losses.smoothness import Smoothness, SmoothnessConfig
from pixforge.builtin.losses.symmetry import Symmetry, SymmetryConfig
from pixforge.contracts import View
from pixforge.testing import make_context
from pixforge.testing.latents import plain_generator

SCENE = make_context((2, 2), canvases=1)


def value(loss, image: torch.Tensor) -> float:
    return float(loss.forward(View(image, plain_generator(SCENE), SCENE, 0)))


def gray(rows: list[list[float]]) -> torch.Tensor:
    return torch.tensor(rows).expand(1, 3, -1, -1)


def test_smoothness_is_the_length_of_the_gradient():
    loss = Smoothness(SmoothnessConfig(clip=2), SCENE)
    # .3 to the right and .4 down make .5; one side of 2 pixels instead of 256
    assert value(loss, gray([[0.0, 0.3], [0.4, 0.0]])) == pytest.approx(0.5 * 2 / 256, rel=1e-4)
    assert value(loss, gray([[0.7, 0.7], [0.7, 0.7]])) == pytest.approx(0, abs=1e-6)


def test_smoothness_clips_edges_and_log_is_gentler():
    picture = gray([[0.0, 1.0], [1.0, 0.0]])
    clipped = value(Smoothness(SmoothnessConfig(clip=0.25), SCENE), picture)
    assert clipped == pytest.approx(0.25 * 2 / 256)
    log = value(Smoothness(SmoothnessConfig(clip=0.25, form="log"), SCENE), picture)
    assert log == pytest.approx(math.log(1.25) * 2 / 256)


@pytest.mark.parametrize("log", [False, True])
def test_the_gradient_of_smoothness_is_that_of_its_formula(log):
    """Compare the hand-written backward pass with finite differences, with lengths above and below the clip."""
    images = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    clip = 0.5
    down = images[:, :, 1:, :-1] - images[:, :, :-1, :-1]
    right = images[:, :, :-1, 1:] - images[:, :, :-1, :-1]
    lengths = torch.hypot(down, right)
    assert (lengths > clip).any()
    assert (lengths < clip).any()
    shortened = lengths.clamp(max=clip)
    expected = (shortened.log1p() if log else shortened).mean(dim=(1, 2, 3))
    torch.testing.assert_close(mean_length(images, clip, log=log), expected)
    assert torch.autograd.gradcheck(lambda each: mean_length(each, clip, log=log), (images,))


def test_smoothness_has_no_gradient_where_the_picture_is_flat():
    images = torch.full((1, 3, 4, 4), 0.3, requires_grad=True)
    mean_length(images, 0.5, log=False).sum().backward()
    torch.testing.assert_close(images.grad, torch.zeros_like(images))


@pytest.mark.parametrize(
    ("axis", "expected"), [("vertical", 0.04), ("horizontal", 0.25), ("both", (0.04 + 0.25) / 2)]
)
def test_symmetry_compares_with_the_mirror_image(axis, expected):
    picture = gray([[0.0, 0.2], [0.5, 0.7]])  # left and right differ by .2, top and bottom by .5
    assert value(Symmetry(SymmetryConfig(axis=axis), SCENE), picture) == pytest.approx(expected)


def test_saturation_is_zero_for_gray_and_lower_for_colors():
    loss = Saturation(SaturationConfig(), SCENE)
    assert value(loss, gray([[0.1, 0.9], [0.5, 0.3]])) == pytest.approx(0, abs=1e-3)
    flat_red = torch.tensor([1.0, 0, 0])[None, :, None, None].expand(1, 3, 2, 2)
    # rg = 1, yb = .5 everywhere: no spread, .3 * sqrt(1 + .25)
    assert value(loss, flat_red) == pytest.approx(-0.3 * math.sqrt(1.25), abs=1e-3)


def test_range_counts_what_lies_outside():
    loss = Range(RangeConfig(low=0.1, high=0.9), SCENE)
    assert value(loss, gray([[0.1, 0.9], [0.5, 0.2]])) == 0
    assert value(loss, gray([[0.0, 1.0], [0.5, 0.5]])) == pytest.approx(100 * 2 * 0.01 / 4)
    with pytest.raises(ValueError, match="must be below high"):
        RangeConfig(low=0.9, high=0.1)


def test_palette_is_the_distance_from_the_nearest_color():
    loss = PaletteLoss(PaletteConfig(colors="black, white"), SCENE)
    loss.prepare(plain_generator(SCENE))
    # .1 in each channel is .1 * sqrt(3) away from black, and .7 is .3 * sqrt(3) away from white
    picture = gray([[0.0, 0.1], [1.0, 0.7]])
    assert value(loss, picture) == pytest.approx(0.4 * math.sqrt(3) / 4, abs=2e-3)
    assert value(loss, gray([[0.0, 1.0], [1.0, 1.0]])) == pytest.approx(0, abs=1e-6)
