"""Generators encode and show pictures at any size, and levels join when their fields say."""

import pytest
import torch

from pixforge.builtin.generators.colors import from_rgb, to_rgb
from pixforge.builtin.generators.fourier import Fourier, FourierConfig
from pixforge.builtin.generators.pixels import Pixels, PixelsConfig
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


def test_decay_smooths_what_an_update_draws():
    roughness = []
    for decay in (0.5, 2.0):
        context = make_context((32, 32), 1)
        image = Fourier(FourierConfig(decay=decay, noise=1), context).forward(0).detach()
        roughness.append(float((image.diff(dim=-1).std() / image.std()).item()))
    assert roughness[1] < 0.5 * roughness[0]
