"""The random strategy: sizes, places, and the share of whole pictures."""

import pytest
import torch

from pixforge.builtin.cutouts.random import Random, RandomConfig
from pixforge.testing import make_context

SCENE = make_context(canvases=2)


def rectangles(config: RandomConfig, size: tuple[int, int]) -> torch.Tensor:
    """`[B, K, 4]`: x0, y0, x1, y1 in pixels."""
    boxes = Random(config, SCENE).boxes(SCENE.draws.at("cutouts", 3), size, 3)
    corners = boxes @ torch.tensor([[-1.0, 1], [-1, 1], [1, 1]])
    return ((corners[..., :2, :] + 1) / 2 * torch.tensor(size)[:, None]).transpose(-1, -2).flatten(-2)


def test_squares_inside_the_picture_of_the_sizes_asked_for():
    boxes = rectangles(RandomConfig(count=1000, overview=0, smallest=0.3, largest=0.8), (300, 200))
    sides = boxes[..., 2:] - boxes[..., :2]
    torch.testing.assert_close(sides[..., 0], sides[..., 1], atol=1e-3, rtol=0)
    assert sides.min() == pytest.approx(60, abs=1)
    assert sides.max() == pytest.approx(160, abs=1)
    assert boxes.min() >= -1e-3
    assert boxes[..., 2].max() <= 300.001
    assert boxes[..., 3].max() <= 200.001
    assert boxes[..., 0].min() < 3
    assert boxes[..., 2].max() > 297


def test_power_favors_small_ones():
    mean = [
        float((b[..., 2] - b[..., 0]).mean())
        for b in (rectangles(RandomConfig(count=1000, overview=0, power=p), (100, 100)) for p in (1, 3))
    ]
    assert mean[0] == pytest.approx(72.5, abs=1.5)
    assert mean[1] == pytest.approx(45 + 55 / 4, abs=1.5)


@pytest.mark.parametrize("size", [(100, 100), (200, 100), (60, 120)])
def test_overview_is_the_smallest_square_around_the_whole(size):
    boxes = rectangles(RandomConfig(count=10, overview=0.3), size)
    side, (width, height) = max(size), size
    whole = torch.tensor([(width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2])
    torch.testing.assert_close(boxes[:, :3], whole.expand(2, 3, 4))
    inside = (boxes[:, 3:] >= -0.01) & (boxes[:, 3:] <= torch.tensor(size * 2) + 0.01)
    assert inside.all()


def test_canvases_have_places_of_their_own():
    boxes = rectangles(RandomConfig(count=8), (100, 100))
    assert not torch.allclose(boxes[0], boxes[1])
