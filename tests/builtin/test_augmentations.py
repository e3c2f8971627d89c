"""Augmentations do what their fields say, measured on many draws."""

import pytest
import torch

from pixforge.builtin.augmentations.affine import Affine, AffineConfig
from pixforge.builtin.augmentations.color import Color, ColorConfig, hue_rotation
from pixforge.builtin.augmentations.erasing import Erasing, ErasingConfig
from pixforge.builtin.augmentations.flip import Flip, FlipConfig
from pixforge.builtin.augmentations.noise import Noise, NoiseConfig
from pixforge.builtin.augmentations.perspective import Perspective, PerspectiveConfig
from pixforge.contracts import Schedule
from pixforge.engine.warp import ImagePyramid, transform_colors
from pixforge.testing import make_context

SCENE = make_context(canvases=1, steps=101)
MANY = 2000


def stream():
    return SCENE.draws.at("test")


def test_rotation_stays_within_its_degrees_and_uses_them():
    affine = Affine(AffineConfig(degrees=30, translate=0, zoom=0), SCENE)
    warp = affine.warp(stream(), MANY, 0)[0]
    degrees = torch.rad2deg(torch.atan2(warp[:, 1, 0], warp[:, 0, 0]))
    assert degrees.abs().max() <= 30.001
    assert degrees.max() > 29
    assert degrees.min() < -29
    torch.testing.assert_close(torch.linalg.det(warp[:, :2, :2]), torch.ones(MANY), atol=1e-4, rtol=0)


def test_zoom_and_shift():
    warp = Affine(AffineConfig(degrees=0, translate=0.1, zoom=0.2), SCENE).warp(stream(), MANY, 0)[0]
    assert 0.8 <= warp[:, 0, 0].min() < 0.82
    assert 1.18 < warp[:, 0, 0].max() <= 1.2
    assert warp[:, 0, 2].abs().max() == pytest.approx(0.2, abs=0.005)  # a tenth of a side of 2


def test_shear_slants_the_columns_by_its_degrees_and_keeps_the_rows():
    affine = Affine(AffineConfig(degrees=0, translate=0, zoom=0, shear=45), SCENE)
    warp = affine.warp(stream(), MANY, 0)[0]
    degrees = torch.rad2deg(warp[:, 0, 1].atan())
    assert 44 < degrees.max() <= 45.001
    assert -45.001 <= degrees.min() < -44
    warp[:, 0, 1] = 0
    torch.testing.assert_close(warp, torch.eye(3).expand(MANY, 3, 3))


def test_a_share_of_the_cutouts_is_moved_and_the_others_stay():
    every, some = (
        Affine(AffineConfig(degrees=30, probability=share), SCENE).warp(stream(), MANY, 0)[0]
        for share in (1, 0.25)
    )
    stay = (some == torch.eye(3)).all(dim=-1).all(dim=-1)
    assert stay.float().mean() == pytest.approx(0.75, abs=0.03)
    assert torch.equal(some[~stay], every[~stay])


def test_schedules_are_followed():
    affine = Affine(AffineConfig(degrees=Schedule({"0%": 0, "100%": 90}), translate=0, zoom=0), SCENE)
    spread = [affine.warp(stream(), MANY, step)[0, :, 1, 0].abs().max() for step in (0, 50, 100)]
    assert spread[0] == 0
    assert spread[1] == pytest.approx(0.707, abs=0.01)
    assert spread[2] == pytest.approx(1, abs=0.01)


def shown(warp, padding="black", size=32):
    """What a cutout of the whole picture shows of it."""
    image = torch.ones(1, 1, size, size)
    return ImagePyramid(image, 1).sample(warp, size, padding)[0, :, 0]


def test_perspective_shrinks_its_share_of_cutouts_into_a_quadrilateral():
    warp = Perspective(PerspectiveConfig(distortion=0.5, probability=0.3), SCENE).warp(stream(), MANY, 0)
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
    places = torch.linalg.inv(warp[0]) @ corners.T
    places = (places[:, :2] / places[:, 2:]).abs()
    assert places.max() <= 1.0001
    assert places.min() >= 0.4999
    moved = shown(warp).mean(dim=(1, 2)) < 0.999
    assert moved.float().mean() == pytest.approx(0.3, abs=0.04)


@pytest.mark.parametrize("distortion", [0.7, 0.9])
def test_strong_perspectives_stay_pictures(distortion):
    config = PerspectiveConfig(distortion=distortion, probability=1)
    warp = Perspective(config, SCENE).warp(stream(), MANY, 0)
    assert warp.isfinite().all()
    share = shown(warp).mean(dim=(1, 2))
    assert share.min() > (1 - distortion) ** 2 / 2
    assert share.max() < 1


def test_flip_share():
    warp = Flip(FlipConfig(horizontal=0.25, vertical=0), SCENE).warp(stream(), MANY, 0)[0]
    assert (warp[:, 0, 0] < 0).float().mean() == pytest.approx(0.25, abs=0.04)
    assert (warp[:, 1, 1] == 1).all()


def test_color_keeps_gray_gray_and_changes_saturation():
    no_light = ColorConfig(brightness=0, contrast=0, saturation=0.5, hue=0.2)
    gray = torch.full((1, MANY, 3, 1, 1), 0.4)
    shifted = transform_colors(gray, Color(no_light, SCENE).color(stream(), MANY, 0))
    torch.testing.assert_close(shifted, gray, atol=1e-5, rtol=0)
    red = torch.tensor([0.8, 0.2, 0.2])[:, None, None].expand(1, MANY, 3, 1, 1)
    shifted = transform_colors(red, Color(no_light, SCENE).color(stream(), MANY, 0))
    chroma = shifted.amax(dim=2) - shifted.amin(dim=2)
    assert chroma.min() < 0.4 < 0.7 < chroma.max()


def test_saturation_keeps_how_light_a_color_is():
    config = ColorConfig(brightness=0, contrast=0, saturation=0.5, hue=0)
    color = torch.tensor([0.8, 0.1, 0.3])[:, None, None].expand(1, MANY, 3, 1, 1)
    shifted = transform_colors(color, Color(config, SCENE).color(stream(), MANY, 0))
    assert (shifted - color).abs().max() > 0.2
    luma = shifted[0, :, :, 0, 0] @ torch.tensor([0.299, 0.587, 0.114])
    torch.testing.assert_close(luma, torch.full((MANY,), 0.8 * 0.299 + 0.1 * 0.587 + 0.3 * 0.114))


def test_a_third_of_a_turn_makes_red_green():
    turned = hue_rotation(torch.tensor(1 / 3)) @ torch.tensor([1.0, 0, 0])
    torch.testing.assert_close(turned, torch.tensor([0.0, 1, 0]), atol=1e-5, rtol=0)


def test_noise_has_the_deviation_it_says():
    cutouts = torch.full((1, 400, 3, 16, 16), 0.5)
    noisy = Noise(NoiseConfig(amount=0.2), SCENE).apply(cutouts, stream(), 0)
    deviations = (noisy - cutouts).flatten(2).std(dim=-1)
    assert deviations.max() == pytest.approx(0.2, abs=0.02)
    assert deviations.mean() == pytest.approx(0.1, abs=0.01)


def test_erasing_covers_one_rectangle_of_the_area_it_says():
    cutouts = torch.full((1, 400, 3, 32, 32), -1.0)
    erased = Erasing(ErasingConfig(probability=0.5, smallest=0.2, largest=0.3), SCENE).apply(
        cutouts, stream(), 0
    )
    covered = (erased[0, :, 0] >= 0).float()
    share = covered.mean(dim=(1, 2))
    assert (share > 0).float().mean() == pytest.approx(0.5, abs=0.08)
    hit = share[share > 0]
    assert hit.min() > 0.13  # a row more or less at 32 pixels
    assert hit.max() < 0.37
    rows, columns = covered.amax(dim=2), covered.amax(dim=1)
    torch.testing.assert_close(covered, rows[:, :, None] * columns[:, None, :])


@pytest.mark.parametrize("field", ["degrees", "zoom"])
def test_values_out_of_range_are_refused(field):
    with pytest.raises(ValueError, match="at most"):
        AffineConfig(**{field: 1000})
