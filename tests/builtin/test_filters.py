"""Filters: gray is gray, and a roll only moves things."""

import pytest
import torch

from pixforge.builtin.filters.grayscale import Grayscale, GrayscaleConfig
from pixforge.builtin.filters.roll import Roll, RollConfig
from pixforge.testing import make_scene

SCENE = make_scene((6, 4), canvases=2)


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
