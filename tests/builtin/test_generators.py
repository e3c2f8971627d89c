"""Generators encode and show pictures at any size, and levels join when their fields say."""

import math

import pytest
import torch

from pixforge.builtin.generators.colors import from_rgb, to_rgb
from pixforge.builtin.generators.fourier import Fourier, FourierConfig
from pixforge.builtin.generators.pixels import Pixels, PixelsConfig
from pixforge.builtin.inits.encoding import encode
from pixforge.testing import make_context


def picture(width: int, height: int) -> torch.Tensor:
    """Smooth colors with a hard square."""
    y, x = torch.meshgrid(torch.linspace(0.1, 0.9, height), torch.linspace(0.1, 0.9, width), indexing="ij")
    image = torch.stack([x, y, (x + y) / 2])
    image[:, height // 4 : height // 2, width // 4 : width // 2] = 0.95
    return image[None]


def encoded(generator, image: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        generator.encode(image)
        return generator.forward(0)


def test_colors_there_and_back():
    image = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(to_rgb(from_rgb(image)), image, atol=2e-3, rtol=0)


@pytest.mark.parametrize("size", [(32, 32), (33, 20), (17, 31)])
@pytest.mark.parametrize("decay", [0, 1, 1.5])
def test_fourier_encode_is_exact(size, decay):
    image = picture(*size)
    generator = Fourier(FourierConfig(decay=decay, contrast=1.3), make_context(size, 1))
    torch.testing.assert_close(encoded(generator, image), image, atol=3e-3, rtol=0)


@pytest.mark.parametrize("levels", [1, 4])
def test_pixels_encode_is_exact_at_full_scale_from_the_first_step(levels):
    image = picture(32, 24)
    generator = Pixels(PixelsConfig(levels=levels), make_context((32, 24), 1))
    torch.testing.assert_close(encoded(generator, image), image, atol=3e-3, rtol=0)


def test_nearest_makes_squares_of_one_color():
    generator = Pixels(PixelsConfig(scale=0.25, upsampling="nearest", noise=1), make_context((16, 8), 1))
    image = generator.forward(0).detach()
    blocks = image.unfold(2, 4, 4).unfold(3, 4, 4).flatten(-2)
    assert blocks.std(dim=-1).max() < 1e-6
    assert blocks[..., 0].std() > 0.1


def test_levels_join_one_after_the_other():
    context = make_context((32, 32), 1, steps=10)
    generator = Pixels(PixelsConfig(levels=3, grow_until=0.8), context)
    alive = []
    for step in (0, 4, 8):
        grids = list(generator.latents().values())
        generator.forward(step).sum().backward()
        alive.append([grid.grad is not None and bool(grid.grad.any()) for grid in grids])
        for grid in grids:
            grid.grad = None
    assert alive == [[True, False, False], [True, True, False], [True, True, True]]


def test_aphantasias_form_has_its_contrast_whatever_the_spectrum():
    """Logits of the spectrum of one wave along x and of one along y, by hand, with aphantasia's matrix of colors."""
    generator = Fourier(
        FourierConfig(form="aphantasia", contrast=0.9, saturation=1.5, decay=1), make_context((32, 16), 2)
    )
    spectrum = generator.latents()["spectrum"]
    with torch.no_grad():
        spectrum.zero_()
        spectrum[0, 0, 0, 1, 0] = 0.01
        spectrum[1, 0, 0, 1, 0] = 70.0
    first, second = generator.forward(0)
    torch.testing.assert_close(first, second, atol=1e-6, rtol=0)
    # The plane of lightness is a cosine, the two others are 0: a third of the values have the variance 1/2.
    wave = torch.cos(torch.arange(32) * 2 * math.pi / 32)
    plane = torch.zeros(3, 16, 32)
    plane[0] = wave
    plane = 0.9 * plane / plane.std()
    columns = torch.tensor([[0.26 / 1.5, 0.09, 0.02], [0.27 / 1.5, 0.0, -0.05], [0.27 / 1.5, -0.09, 0.03]])
    logits = torch.einsum("ij,jhw->ihw", columns / columns.norm(dim=0).max(), plane)
    torch.testing.assert_close(first, logits.sigmoid(), atol=1e-5, rtol=0)
    first[0, 3, 5].backward()
    assert spectrum.grad.isfinite().all()


def test_aphantasias_form_has_even_waves_up_to_four_over_the_longer_side():
    def gain(form, wave):
        generator = Fourier(FourierConfig(form=form, decay=1), make_context((64, 32), 1))
        return float(generator._scale[0, wave])

    assert gain("aphantasia", 1) == gain("aphantasia", 4) == pytest.approx(2 * gain("aphantasia", 8))
    assert gain("lucid", 1) == pytest.approx(4 * gain("lucid", 4))


def test_aphantasias_form_shows_a_start_picture_with_its_own_contrast_and_says_so(caplog):
    generator = Fourier(FourierConfig(form="aphantasia", contrast=0.3), make_context((32, 32), 1))
    image = picture(32, 32)
    with torch.no_grad():
        encode(generator, image)
        shown = generator.forward(0)
    assert "fourier comes near the start picture, it cannot show it: colors are off by" in caplog.text
    assert float(from_rgb(shown).std()) == pytest.approx(0.3, abs=1e-3)
    correlation = torch.corrcoef(torch.stack([from_rgb(each).flatten() for each in (shown, image)]))[0, 1]
    assert float(correlation) > 0.99
    assert not Fourier(FourierConfig(), make_context((8, 8), 1)).approximates


def test_decay_smooths_what_an_update_draws():
    roughness = []
    for decay in (0.5, 2.0):
        context = make_context((32, 32), 1)
        image = Fourier(FourierConfig(decay=decay, noise=1), context).forward(0).detach()
        roughness.append(float((image.diff(dim=-1).std() / image.std()).item()))
    assert roughness[1] < 0.5 * roughness[0]


def test_pixels_that_go_back_before_their_base_show_what_they_showed():
    """A recovery restores a checkpoint in the session that has gone on: an edit may have given it a base since."""
    generator = Pixels(PixelsConfig(), make_context((8, 8), 1))
    saved = {name: each.detach().clone() for name, each in generator.latents().items()}
    state, before = generator.state(), generator.forward(0).detach()
    encoded(generator, torch.ones(1, 3, 8, 8))
    with torch.no_grad():
        for name, latent in generator.latents().items():
            latent.copy_(saved[name])
        generator.load_state(state)
    assert torch.equal(generator.forward(0), before)
    with pytest.raises(ValueError, match=r"base is \[1, 3, 4, 4\], not \[1, 3, 8, 8\]"):
        generator.load_state({"base": torch.zeros(1, 3, 4, 4)})
