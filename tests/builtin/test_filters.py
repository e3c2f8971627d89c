"""Filters: gray is gray, and a roll only moves things."""

import pytest
import torch

from pixforge.builtin.dither import ordered
from pixforge.builtin.filters.grayscale import Grayscale, GrayscaleConfig
from pixforge.builtin.filters.lookup import Lookup, LookupConfig
from pixforge.builtin.filters.posterize import Posterize, PosterizeConfig
from pixforge.builtin.filters.roll import Roll, RollConfig
from pixforge.builtin.filters.sharpness import Blur, BlurConfig, Sharpen, SharpenConfig
from pixforge.builtin.filters.upscale import Upscale, UpscaleConfig
from pixforge.builtin.filters.wallpaper import Rim, RimConfig, Wallpaper, WallpaperConfig
from pixforge.testing import make_context

SCENE = make_context((6, 4), canvases=2)


def test_grayscale_takes_the_color():
    image = torch.rand(2, 3, 4, 6)
    gray = Grayscale(GrayscaleConfig(), SCENE).forward(image, SCENE.draws.at("x"), 0)
    assert (gray.amax(dim=1) - gray.amin(dim=1)).max() < 1e-5
    half = Grayscale(GrayscaleConfig(amount=0.5), SCENE).forward(image, SCENE.draws.at("x"), 0)
    torch.testing.assert_close(half, (image + gray) / 2)


@pytest.mark.parametrize(
    ("axis", "rows", "columns"), [("both", 4, 6), ("horizontal", 1, 6), ("vertical", 4, 1)]
)
def test_roll_is_one_of_all_cyclic_shifts(axis, rows, columns):
    image = torch.rand(2, 3, 4, 6)
    rolled = Roll(RollConfig(axis=axis), SCENE).forward(image, SCENE.draws.at("x", 1), 0)
    for before, after in zip(image, rolled, strict=True):
        shifts = [before.roll((-down, -right), (1, 2)) for down in range(rows) for right in range(columns)]
        assert any(torch.equal(shift, after) for shift in shifts)
    assert not torch.equal(image, rolled)


def through(component, config, image, context=SCENE, step=1):
    return component(config, context).forward(image, context.draws.at("x", step), step)


def test_lookup_gives_the_nearest_colors_and_lets_the_gradient_pass():
    image = torch.tensor([0.1, 0.4, 0.7, 0.9]).expand(2, 3, 4, 4).clone().requires_grad_()
    made = through(Lookup, LookupConfig(colors="black, white"), image)
    assert made[0, 0, 0].tolist() == [0, 0, 1, 1]
    made.sum().backward()
    assert torch.equal(image.grad, torch.ones_like(image))
    image.grad = None
    committed = through(Lookup, LookupConfig(colors="black, white", beta=3), image)
    committed.sum().backward()
    # 1, and the derivative of 3 times the mean of (x - chosen)^2 over 3 * 4 * 4 values
    assert image.grad[0, 0, 0].tolist() == pytest.approx([1 + 6 * d / 48 for d in (0.1, 0.4, -0.3, -0.1)])
    alpha = through(Lookup, LookupConfig(colors="black, white"), torch.full((1, 4, 4, 4), 0.3))
    assert alpha[0, :, 0, 0].tolist() == pytest.approx([0, 0, 0, 0.3])


def test_dithering_keeps_the_mean_with_two_colors():
    pattern = ordered(8, 8, torch.device("cpu"))
    assert sorted((pattern.flatten() * 64 + 31.5).tolist()) == pytest.approx(range(64))
    gray = torch.full((1, 3, 16, 16), 0.3)
    for made in (
        through(Lookup, LookupConfig(colors="black, white", dither="ordered"), gray),
        through(Posterize, PosterizeConfig(levels=2, dither="ordered"), gray),
    ):
        assert set(made.flatten().tolist()) == {0, 1}
        assert made.mean() == pytest.approx(0.3, abs=0.02)


def test_posterize_rounds_to_levels():
    image = torch.tensor([0.0, 0.2, 0.6, 1.0]).expand(1, 3, 4, 4)
    assert through(Posterize, PosterizeConfig(levels=3), image)[0, 0, 0].tolist() == [0, 0, 0.5, 1]
    colors = torch.rand(1, 3, 4, 4)
    bits = through(Posterize, PosterizeConfig(levels=2, gray=True), colors)
    assert set(bits.flatten().tolist()) <= {0, 1}
    assert torch.equal(bits[:, 0], bits[:, 2])


def test_blur_is_for_the_eyes_alone_and_sharpen_is_saved():
    assert not Blur.saved
    assert Sharpen.saved
    image = torch.rand(2, 3, 12, 12)
    soft = through(Blur, BlurConfig(radius=2), image)
    assert soft.std() < 0.5 * image.std()
    assert float(soft.mean()) == pytest.approx(float(image.mean()), abs=0.02)
    step = torch.tensor([0.4] * 6 + [0.6] * 6).expand(1, 3, 12, 12)
    sharp = through(Sharpen, SharpenConfig(amount=1), step)[0, 0, 0]
    assert sharp[5] < 0.38
    assert sharp[6] > 0.62
    assert sharp[0] == pytest.approx(0.4, abs=1e-3)


def test_upscale_enlarges_what_is_saved():
    image = torch.rand(1, 3, 4, 6)
    made = through(Upscale, UpscaleConfig(factor=3, method="nearest"), image)
    assert made.shape == (1, 3, 12, 18)
    assert torch.equal(made[..., 1::3, 1::3], image)


@pytest.mark.parametrize("form", ["default", "shift", "horizontal", "vertical"])
def test_wallpaper_is_a_window_of_the_wall(form):
    image = torch.arange(24.0).view(1, 1, 4, 6).expand(1, 3, 4, 6) / 24
    column = [image.roll(-2 * (each if form == "shift" else 0), dims=-2) for each in range(2)]
    wall = torch.cat([torch.cat([tile, tile], dim=-2) for tile in column], dim=-1)
    context = make_context((6, 4), canvases=1)
    seen = set()
    for step in range(40):
        window = through(Wallpaper, WallpaperConfig(form=form), image, context, step)
        places = [
            (y, x) for y in range(5) for x in range(7) if torch.equal(wall[..., y : y + 4, x : x + 6], window)
        ]
        assert places, step
        seen.add(places[0])
    assert {y for y, _ in seen} == {0} if form == "horizontal" else len({y for y, _ in seen}) == 4
    assert {x for _, x in seen} == {0} if form == "vertical" else len({x for _, x in seen}) == 6


@pytest.mark.parametrize("form", ["default", "shift", "horizontal", "vertical"])
def test_rims_have_no_seam(form):
    image = torch.rand(2, 3, 16, 24)
    tile = through(Rim, RimConfig(form=form, width=0.25), image)
    lower = 8 if form == "shift" else 0
    if form != "vertical":
        assert (image[..., -1] - image[..., 0]).abs().mean() > 0.2
        assert (tile[..., -1] - tile[..., 0].roll(-lower, dims=-1)).abs().max() < 1e-5
    if form != "horizontal":
        # In a shifted wall three tiles meet in the corners, and the seam differs there as neighboring rows do.
        columns = slice(6, -6) if form == "shift" else slice(None)
        assert (tile[..., -1, columns] - tile[..., 0, columns]).abs().max() < 1e-5
    assert torch.equal(tile[..., 4:-4, 6:-6], image[..., 4:-4, 6:-6])
