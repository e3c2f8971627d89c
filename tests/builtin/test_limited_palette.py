"""The losses of pytti's limited palette: values worked out by hand, and what each does when it is optimized alone."""

import pytest
import torch

from pixforge.builtin.generators.fourier import Fourier, FourierConfig
from pixforge.builtin.generators.palette import PalettePicture, PalettePictureConfig
from pixforge.builtin.losses.limited_palette import (
    PaletteHdr,
    PaletteHdrConfig,
    PaletteNormalization,
    PaletteNormalizationConfig,
)
from pixforge.contracts import View
from pixforge.errors import UnsupportedError
from pixforge.testing import make_context

HDR, NORMALIZATION = (PaletteHdr, PaletteHdrConfig()), (PaletteNormalization, PaletteNormalizationConfig())


def generator_of(pixels=(2, 1), canvases=1, **fields):
    return PalettePicture(PalettePictureConfig(scale=1, **fields), make_context(pixels, canvases))


def ready(kind, generator):
    loss = kind[0](kind[1], generator.context)
    with torch.no_grad():
        loss.prepare(generator)
    return loss


def value(loss, generator):
    image = torch.zeros(generator.context.batch, 3, 4, 4)
    return loss.forward(View(image, generator, generator.context, 0))


def optimized(loss, generator, steps=150):
    """The generator after the loss alone has moved its latents."""
    optimizer = torch.optim.Adam([each for each in generator.latents().values() if each.requires_grad], 0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        value(loss, generator).sum().backward()
        optimizer.step()
    return generator


def test_hdr_compares_brightness_with_a_power_of_the_place():
    """Gray .5, pure green and gray .8 with gamma 2: .5, the root of .587 and .8 should be 0, .25 and 1."""
    made = generator_of(size=3, gamma=2)
    colors = torch.tensor([[0.5, 0.5, 0.5], [0.002, 0.998, 0.002], [0.8, 0.8, 0.8]])
    with torch.no_grad():
        made.latents()["colors"].copy_(colors.logit())
    wanted = (0.5**2 + (0.587**0.5 - 0.25) ** 2 + 0.2**2) / 3
    assert value(ready(HDR, made), made).item() == pytest.approx(wanted, abs=2e-3)


def test_hdr_alone_makes_a_ramp_of_the_gamma():
    made = generator_of(size=4, palettes=2, gamma=2)
    optimized(ready(HDR, made), made)
    luma = torch.tensor([0.299, 0.587, 0.114])
    brightness = (made.latents()["colors"].sigmoid().square() @ luma).sqrt()
    torch.testing.assert_close(
        brightness[0, 1].detach(), torch.tensor([0, 1 / 9, 4 / 9, 1]), atol=0.06, rtol=0
    )


def test_normalization_by_hand():
    """Two cells with shares .75, .25 and .25, .75: the deviations are .35355 = 1/2 of the root of 1/2.

    The correlation is -.0625 * 2 / (.125 * 2) = -.5, twice among four pairs; 1 / (2 * .35355) is 1.41421.
    """
    made = generator_of(palettes=2, size=2)
    with torch.no_grad():
        made.latents()["choice"].copy_(torch.tensor([[[[0.75, 0.25]], [[0.25, 0.75]]]]).log())
    assert value(ready(NORMALIZATION, made), made).item() == pytest.approx(-0.25 + 1.41421, abs=1e-4)


def test_normalization_alone_brings_lost_palettes_back():
    made = generator_of((8, 8), palettes=3, size=2)
    with torch.no_grad():
        made.latents()["choice"][:, 0] += 3
    used = lambda: made.latents()["choice"].argmax(dim=1).unique().tolist()  # noqa: E731
    assert used() == [0]
    optimized(ready(NORMALIZATION, made), made)
    assert used() == [0, 1, 2]
    even = generator_of((8, 8), palettes=3, size=2)
    with torch.no_grad():
        even.latents()["choice"].zero_()
    value(ready(NORMALIZATION, even), even).sum().backward()
    assert even.latents()["choice"].grad.isfinite().all()


@pytest.mark.parametrize("kind", [HDR, NORMALIZATION])
def test_canvases_are_independent(kind):
    made = generator_of((4, 4), canvases=2, palettes=2, size=3)
    value(ready(kind, made), made)[0].backward()
    found = [each.grad for each in made.latents().values() if each.grad is not None]
    assert found
    assert all(bool(each[0].any()) and not bool(each[1].any()) for each in found)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (HDR, {"lock": True}, "palettes are locked"),
        (NORMALIZATION, {"palettes": 1}, "has one of them"),
        (HDR, None, "palette_hdr is about the palettes .* 'fourier' has none"),
        (NORMALIZATION, None, "'fourier' has none"),
    ],
)
def test_where_they_mean_nothing_they_say_so(kind, fields, message):
    made = generator_of(**fields) if fields else Fourier(FourierConfig(), make_context((8, 8), 1))
    with pytest.raises(UnsupportedError, match=message):
        ready(kind, made)


def test_gamma_darkens_random_palettes_and_spread_colors_them():
    def first(**fields):
        return generator_of(size=4, **fields).latents()["colors"].detach().sigmoid()[0, 0]

    grays = first(spread=0, gamma=2)
    torch.testing.assert_close(grays[:, 0], ((torch.arange(4) + 0.5) / 4).square(), atol=1e-5, rtol=0)
    assert torch.equal(grays, grays[:, :1].expand(-1, 3))
    assert (first() - first(spread=0)).std() > 0.1
