"""The palette generator: no more colors than promised, learned or locked, and a picture to begin with."""

import pytest
import torch
from pydantic import ValidationError

import pixforge
from pixforge.builtin.generators.palette import PalettePicture, PalettePictureConfig
from pixforge.testing import make_context


def make(pixels=(24, 16), canvases=1, **fields):
    return PalettePicture(PalettePictureConfig(**fields), make_context(pixels, canvases))


def colors_of(image):
    return {tuple(each) for each in image.detach().flatten(1).T.mul(255).round().int().tolist()}


def test_no_more_colors_than_promised():
    made = make((64, 48), 2, size=3, palettes=2, scale=1)
    image = made.forward(0)
    assert image.shape == (2, 3, 48, 64)
    assert all(4 <= len(colors_of(each)) <= 6 for each in image)
    assert colors_of(image[0]) != colors_of(image[1])


def test_given_colors_are_shown_and_stay_when_locked(tmp_path):
    fields = {
        "prompts": ["a red heart"],
        "seed": 1,
        "size": 32,
        "steps": 3,
        "init": "noise",
        "exporters": ["still"],
    }
    shown = {}
    for lock in (True, False):
        generator = {"type": "palette", "colors": "black, red, white", "lock": lock}
        made = pixforge.render(pixforge.load_recipe({**fields, "generator": generator}), tmp_path / str(lock))
        shown[lock] = {color for _, color in made.images[0].convert("RGB").getcolors()}
    assert shown[True] <= {(0, 0, 0), (255, 0, 0), (255, 255, 255)}
    assert len(shown[False]) <= 3


def test_locked_palettes_survive_a_checkpoint():
    first, second = make(lock=True), make(lock=True)
    with torch.no_grad():
        first.encode(torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(1)))
        second.load_state(first.state())
        second.latents()["value"].copy_(first.latents()["value"])
    assert torch.equal(first.forward(0), second.forward(0))


def test_palettes_change_more_slowly_than_cells():
    cells, palettes = make(inertia=4).parameter_groups()
    assert (cells["scale"], palettes["scale"]) == (1.0, 0.25)
    assert len(make(lock=True).parameter_groups()) == 1
    assert len(make(palettes=2).parameter_groups()[0]["params"]) == 2


def test_the_gradient_is_half_of_the_color_between_and_half_of_the_color_shown():
    made = make((1, 1), colors="black, white", scale=1)
    with torch.no_grad():
        made.latents()["value"].fill_(0.4)  # sigmoid .5987: white is nearer
    image = made.forward(0)
    torch.testing.assert_close(image.detach().flatten(), torch.full((3,), 1 - 1 / 600))
    image.sum().backward()
    slope = 0.5987 * (1 - 0.5987)
    reach = 1 - 2 / 600
    assert float(made.latents()["value"].grad) == pytest.approx(3 * slope * reach / 2, rel=1e-3)
    black, white = made.latents()["colors"].grad[0, 0, :, 0]
    edge = 1 / 600 * (1 - 1 / 600)
    assert float(white) == pytest.approx(edge * (0.5987 + 1) / 2, rel=1e-3)
    assert float(black) == pytest.approx(edge * (1 - 0.5987) / 2, rel=1e-3)


@pytest.mark.parametrize("palettes", [1, 3])
def test_a_picture_of_few_colors_is_taken_exactly(palettes):
    picture = torch.zeros(1, 3, 16, 24)
    picture[:, 0, :, 12:] = 0.8
    picture[:, 2, 8:] = 0.4
    made = make(size=6, palettes=palettes, scale=1)
    with torch.no_grad():
        made.encode(picture)
        shown = made.forward(0)
    torch.testing.assert_close(shown, picture, atol=3e-3, rtol=0)


def test_a_picture_in_given_colors_is_the_nearest_of_them():
    picture = torch.full((1, 3, 16, 24), 0.9)
    picture[..., 12:] = 0.2
    made = make(colors="black, #808080, white", scale=1)
    with torch.no_grad():
        made.encode(picture)
        shown = made.forward(0)
    assert colors_of(shown[0]) == {(0, 0, 0), (255, 255, 255)}


def test_cells_are_counted_by_grid():
    image = make((24, 16), grid=(3, 2), size=8).forward(0).detach()
    blocks = image.unfold(2, 8, 8).unfold(3, 8, 8).flatten(-2)
    assert blocks.shape[2:4] == (2, 3)
    assert blocks.std(dim=-1).max() < 1e-6


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"colors": "red", "palettes": 2}, "one palette"),
        ({"size": 1}, "greater than or equal to 2"),
        ({"inertia": 0}, "0.01"),
    ],
)
def test_what_cannot_be(fields, message):
    with pytest.raises(ValidationError, match=message):
        PalettePictureConfig(**fields)
