"""Patterns to start from look as they are called, and a picture may lie over one."""

import pytest
import torch
from PIL import Image as Pillow

from pixforge.builtin.generators.pixels import Pixels, PixelsConfig
from pixforge.builtin.inits.image import Image, ImageConfig
from pixforge.builtin.inits.pattern import PatternConfig, PatternInit
from pixforge.builtin.patterns import draw, perlin_noise
from pixforge.testing import make_context

SCENE = make_context((64, 48), canvases=2)


def drawn(pattern):
    return draw(pattern, SCENE.draws.at("x"), 48, 64)


def neighbors(image):
    return image.diff(dim=-1).abs().mean()


@pytest.mark.parametrize("pattern", ["fractal", "perlin", "gradient", "snow"])
def test_a_pattern_is_a_picture_of_its_own_for_each_canvas(pattern):
    image = drawn(pattern)
    assert image.shape == (2, 3, 48, 64)
    assert 0 <= image.min() < 0.3
    assert 0.7 < image.max() <= 1
    assert (image[0] - image[1]).abs().mean() > 0.05
    alone = draw(pattern, make_context((64, 48), canvases=1, seed=1).draws.at("x"), 48, 64)
    torch.testing.assert_close(alone[0], image[1])


def test_patterns_differ_in_how_rough_they_are():
    snow, fractal, perlin, gradient = (
        neighbors(drawn(each)) for each in ("snow", "fractal", "perlin", "gradient")
    )
    assert snow > 3 * fractal
    assert fractal > 2 * gradient
    assert perlin > 2 * gradient
    image = drawn("gradient")
    assert image.diff(dim=-1).diff(dim=-1).abs().max() < 1e-5  # straight
    assert drawn("fractal").std(dim=(2, 3)).mean() == pytest.approx(0.2, abs=0.03)


def test_perlins_noise_is_0_on_its_lattice_and_smooth():
    noise = perlin_noise(SCENE.draws.at("x"), 1, 1, 201, 201)
    assert noise[..., 0, 0].abs().max() < 0.02
    assert noise.abs().max() > 0.1
    assert noise.diff(dim=-1).abs().max() < 0.03


def started(**fields):
    generator = Pixels(PixelsConfig(), SCENE)
    with torch.no_grad():
        PatternInit(PatternConfig(**fields), SCENE).start(generator)
    return generator.forward(0).detach()


def test_plain_gray_and_contrast():
    assert (started(pattern="plain") - 1).abs().max() < 0.01
    red = started(pattern="plain", color="red")
    assert red[:, 0].min() > 0.99
    assert red[:, 1:].max() < 0.01
    gray = started(gray=True)
    assert (gray[:, 0] - gray[:, 2]).abs().max() < 1e-5
    assert started(contrast=0).sub(0.5).abs().max() < 1e-5
    assert started(contrast=2).std() > 1.5 * started().std()
    with pytest.raises(ValueError, match="for `pattern: plain` alone"):
        PatternConfig(color="red")


def test_a_picture_lies_over_a_pattern(tmp_path):
    Pillow.new("RGB", (64, 48), (255, 0, 0)).save(tmp_path / "red.png")
    context = make_context((64, 48), canvases=2, folder=tmp_path)
    generator = Pixels(PixelsConfig(), context)
    with torch.no_grad():
        Image(ImageConfig(image="red.png", opacity=0.75, under="snow"), context).start(generator)
    image = generator.forward(0).detach()
    assert image[:, 0].min() > 0.74
    assert image[:, 1].max() == pytest.approx(0.25, abs=0.01)
    assert image[:, 1].std() == pytest.approx(0.25 / 12**0.5, abs=0.01)
    assert not torch.equal(image[0], image[1])
