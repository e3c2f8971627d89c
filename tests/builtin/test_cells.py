"""Cells of every shape cover the picture, have the size that they should, and take over a picture."""

import pytest
import torch

from pixforge.builtin.generators.cells import SHAPES, cell_map
from pixforge.builtin.generators.fourier import Fourier, FourierConfig
from pixforge.builtin.generators.pixels import Pixels, PixelsConfig
from pixforge.testing import check_component, make_context


@pytest.mark.parametrize("shape", SHAPES)
def test_cells_are_of_one_size(shape):
    cells = cell_map(shape, 8, 6, 160, 120)
    assert cells.shape == (120, 160)
    counts = torch.bincount(cells.flatten(), minlength=48).view(6, 8)
    assert counts.sum() == 160 * 120
    inner = counts[1:-1].double()  # of the first and last row, parts lie outside
    assert inner.min() > 0.85 * inner.mean()
    assert inner.max() < 1.15 * inner.mean()
    assert inner.mean() == pytest.approx(400, rel=0.1)


def test_shapes_are_what_they_are_called():
    square, brick = cell_map("square", 4, 4, 40, 40), cell_map("brick", 4, 4, 40, 40)
    assert torch.equal(brick[:10], square[:10])
    assert torch.equal(brick[10:20], square[10:20].roll(-5, dims=1))
    triangle = cell_map("triangle", 4, 4, 40, 40)
    widths = (triangle[10:20] == 5).sum(
        dim=1
    )  # the second in the second row, which stands on its base or its head
    assert widths.diff().abs().max() <= 3
    assert {int(widths[0]) > 15, int(widths[-1]) > 15} == {True, False}
    diamond = cell_map("diamond", 4, 4, 40, 40) == 9  # in the third row
    across = diamond.sum(dim=1)
    assert int(across.argmax()) in {24, 25}
    assert int(across.max()) == 10
    assert int(diamond.any(dim=1).sum()) in {18, 19, 20}
    knit = cell_map("knit", 4, 4, 40, 40)
    assert (knit[10, :10] != knit[10, 5]).any()  # the sides of a stitch stand higher than its middle
    assert torch.equal(knit[:, :10], knit[:, :10].flip(1))
    hexagon = cell_map("hexagon", 4, 4, 40, 40) == 9
    assert int(hexagon.sum(dim=1).max()) == 10


@pytest.mark.parametrize("cells", SHAPES)
def test_pixels_have_cells_of_each_shape(cells):
    check_component(Pixels, make_context((48, 32)), cells=cells, grid=[24, 16])
    generator = Pixels(PixelsConfig(cells=cells, grid=(6, 4), upsampling="nearest"), make_context((60, 40)))
    image = generator.forward(0).detach()
    assert len(image[0].flatten(1).T.unique(dim=0)) <= 24
    wide = torch.linspace(0, 1, 60).expand(2, 3, 40, 60)
    with torch.no_grad():
        generator.encode(wide)
    assert (generator.forward(0) - wide).abs().mean() < (
        0.15 if cells in {"brick", "hexagon", "diamond", "triangle"} else 0.06
    )


def test_saturation_makes_colors_stronger_and_keeps_a_start():
    context = make_context((32, 32), canvases=1)

    def colorfulness(saturation):
        image = Fourier(FourierConfig(saturation=saturation, noise=0.1), context).forward(0).detach()
        return float((image.amax(dim=1) - image.amin(dim=1)).mean() / image.std())

    assert colorfulness(3) > 1.3 * colorfulness(1)
    generator = Fourier(FourierConfig(saturation=1.8), context)
    wanted = torch.rand(1, 3, 32, 32) * 0.8 + 0.1
    with torch.no_grad():
        generator.encode(wanted)
    assert (generator.forward(0) - wanted).abs().max() < 0.01
