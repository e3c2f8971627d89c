"""Cutout strategies of other programs: sizes and places have the distributions of those programs' own code."""

import math
import random

import pytest
import torch

from pixforge.builtin.cutouts.aphantasia import Aphantasia, AphantasiaConfig
from pixforge.builtin.cutouts.disco import Disco, DiscoConfig
from pixforge.builtin.cutouts.pixray import Pixray, PixrayConfig
from pixforge.builtin.cutouts.pytti import Pytti, PyttiConfig
from pixforge.contracts import Placement
from pixforge.testing import make_context

MANY = 4000
SIZE = (300, 200)
S = 64
SCENE = make_context(size=SIZE, canvases=1, steps=1000)


@pytest.fixture(autouse=True)
def _same_reference():
    random.seed(2)


def placed(strategy, config, step=3, size=SIZE, input_size=S) -> Placement:
    return strategy(config, SCENE).place(SCENE.draws.at("cutouts", step), size, step, input_size)


def rectangles(boxes: torch.Tensor, size=SIZE) -> torch.Tensor:
    """`[K, 4]`: left, top, right, bottom in pixels, of boxes without perspective."""
    corners = boxes[0] @ torch.tensor([[-1.0, 1], [-1, 1], [1, 1]])
    return ((corners[:, :2] + 1) / 2 * torch.tensor(size)[:, None]).transpose(-1, -2).flatten(-2)


def quantiles(values) -> torch.Tensor:
    return torch.quantile(torch.as_tensor(values, dtype=torch.float32), torch.linspace(0.02, 0.98, 13))


def alike(ours: torch.Tensor, theirs: list[float], scale: float) -> None:
    """Two samples of one distribution: their quantiles differ by a few hundredths of its range."""
    torch.testing.assert_close(quantiles(ours), quantiles(theirs), atol=0.05 * scale, rtol=0)


def compare(boxes: torch.Tensor, reference: list[tuple[float, float, float]], size=SIZE) -> None:
    """Sides, and the places of left and top edges; all squares."""
    ours = rectangles(boxes, size)
    sides = ours[:, 2] - ours[:, 0]
    torch.testing.assert_close(sides, ours[:, 3] - ours[:, 1], atol=1e-3, rtol=0)
    for mine, theirs in zip((ours[:, 0], ours[:, 1], sides), zip(*reference, strict=True), strict=True):
        alike(mine, list(theirs), max(theirs) - min(theirs))


def test_pytti_sizes_and_places():
    def one():
        side = 200 * min(max(random.gauss(0.8, 0.3), S / 200), 1) ** 2
        x, y = (random.uniform(-0.25 * n, n - side + 0.25 * n) for n in SIZE)
        return min(max(x, 0), SIZE[0] - side), min(max(y, 0), SIZE[1] - side), side

    compare(placed(Pytti, PyttiConfig(count=MANY)).boxes, [one() for _ in range(10 * MANY)])


def test_pytti_reaches_beyond_the_picture_when_asked_to():
    def one():
        side = 200 * min(max(random.gauss(0.8, 0.3), S / 200), 1) ** 2
        x, y = (random.uniform(-min(side, 0.25 * n), n - side + min(side, 0.25 * n)) for n in SIZE)
        return x, y, side

    place = placed(Pytti, PyttiConfig(count=MANY, padding="wrap"))
    compare(place.boxes, [one() for _ in range(10 * MANY)])
    boxes = rectangles(place.boxes)
    assert boxes[:, 2:].min() > 0  # none lies outside
    assert place.padding == "wrap"
    assert boxes.min() == pytest.approx(-75, abs=2)
    assert boxes[:, 3].max() == pytest.approx(250, abs=2)


@pytest.mark.parametrize("align", ["uniform", "central"])
@pytest.mark.parametrize("overscan", [1, 2])
def test_aphantasia_sizes_and_places(align, overscan):
    def share():
        return random.random() if align == "uniform" else min(max(random.gauss(0.5, 0.2), 0), 1)

    def one():
        smallest = 0.9 * 200 if random.random() < 0.4 else S
        side = random.random() * (200 - smallest) + smallest
        x, y = (share() * (n * overscan - side) - n * (overscan - 1) / 2 for n in SIZE)
        return x, y, side

    place = placed(Aphantasia, AphantasiaConfig(count=MANY, align=align, overscan=overscan))
    compare(place.boxes, [one() for _ in range(10 * MANY)])
    assert place.padding == ("wrap" if overscan > 1 else "reflection")


def test_disco_inner_cuts():
    def one():
        side = random.random() ** 3 * (200 - S) + S
        return random.random() * (300 - side), random.random() * (200 - side), side

    place = placed(Disco, DiscoConfig(count=MANY, overview=0, gray=0, power=3))
    compare(place.boxes, [one() for _ in range(10 * MANY)])
    assert place.colors is None


@pytest.mark.parametrize(
    ("step", "overviews", "gray"), [(0, 12, [12]), (399, 12, [12]), (400, 4, [1, 3]), (999, 4, [1, 3])]
)
def test_disco_schedules(step, overviews, gray):
    place = placed(Disco, DiscoConfig(), step=step)
    boxes = rectangles(place.boxes)
    sides = boxes[:, 2] - boxes[:, 0]
    assert (sides.abs() > 299).tolist() == [True] * overviews + [False] * (16 - overviews)
    assert sides[0] == pytest.approx(300)
    assert [index for index, side in enumerate(sides) if side < 0] == ([2, 3] if overviews == 4 else [])
    assert list(place.padding) == ["gray"] * overviews + ["reflection"] * (16 - overviews)
    pale = (place.colors[0, :, :, :3] - torch.eye(3)).abs().amax(dim=(-1, -2)) > 0.1
    assert pale.nonzero().flatten().tolist() == gray
    torch.testing.assert_close(place.colors[0, gray[0], :, 3], torch.zeros(3))


def test_discos_border_is_a_share_of_the_shorter_side():
    boxes = rectangles(placed(Disco, DiscoConfig(count=5, overview=1, margin=0.055)).boxes)
    torch.testing.assert_close(boxes[:, 2] - boxes[:, 0], torch.full((5,), 300 + 2 * 0.055 * 200))


def test_pixray_zoom_cuts_are_crops_of_a_square():
    flat = PixrayConfig(count=MANY, zoom=1, zoom_perspective=0)

    def one():
        while True:
            area, ratio = random.uniform(0.25, 0.95), math.exp(random.uniform(math.log(0.85), math.log(1.2)))
            width, height = math.sqrt(area * ratio), math.sqrt(area / ratio)
            if width <= 1 and height <= 1:
                break
        left = random.random() * 100 + random.random() * (1 - width) * 200
        return left, random.random() * (1 - height) * 200, width * 200, height * 200

    ours = rectangles(placed(Pixray, flat).boxes)
    theirs = list(zip(*(one() for _ in range(MANY)), strict=True))
    sizes = ours[:, 2:] - ours[:, :2]
    for mine, other in zip((ours[:, 0], ours[:, 1], sizes[:, 0], sizes[:, 1]), theirs, strict=True):
        alike(mine, list(other), max(other) - min(other))


def test_pixray_wide_cuts_show_all_of_the_picture_and_a_margin():
    boxes = rectangles(placed(Pixray, PixrayConfig(count=500, zoom=0, wide_perspective=0)).boxes)
    side = 300 / 0.95
    torch.testing.assert_close(boxes[:, 2] - boxes[:, 0], torch.full((500,), side), atol=1e-2, rtol=0)
    assert boxes[:, 0].max() <= 0.01
    assert boxes[:, 2].min() >= 299.99
    assert float(boxes[:, 0].min()) == pytest.approx(300 - side, abs=0.3)
    assert float(boxes[:, 0].mean()) == pytest.approx((300 - side) / 2, abs=1)


def test_pixray_tilts_shrink_the_picture_into_the_cutout():
    """As kornia's RandomPerspective: the picture's corners move inwards by up to a share of half the side."""
    config = PixrayConfig(count=MANY, zoom=0, margin=0)
    place = placed(Pixray, config, size=(200, 200))
    back = (
        torch.linalg.inv(place.boxes[0]) @ torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]]).T
    )
    corners = (back[:, :2] / back[:, 2:]).abs()  # where the picture's corners are in the cutout
    moved = 1 - corners
    assert moved.min() > -1e-3
    assert float(moved.max()) == pytest.approx(0.2, abs=0.005)
    tilted = moved.amax(dim=(1, 2)) > 1e-3
    assert float(tilted.float().mean()) == pytest.approx(0.7, abs=0.03)
    assert float(moved[tilted].mean()) == pytest.approx(0.1, abs=0.005)


def test_pixray_padding_alternates_and_wide_cuts_have_grays_of_their_own():
    even, odd = (placed(Pixray, PixrayConfig(count=10), step=step) for step in (4, 5))
    assert list(even.padding) == ["reflection"] * 6 + ["gray"] * 4
    assert list(odd.padding) == ["border"] * 6 + ["gray"] * 4
    assert even.gray is not None
    assert even.gray[0, 6:].std() > 0.05
    fixed = placed(Pixray, PixrayConfig(count=10, padding="border"), step=4)
    assert list(fixed.padding)[:6] == ["border"] * 6


@pytest.mark.parametrize("strategy", [Aphantasia, Disco, Pixray, Pytti])
def test_a_picture_smaller_than_the_perceptor_sees_is_fine(strategy):
    boxes = placed(strategy, strategy.config_type(count=8), size=(40, 50), input_size=224).boxes
    assert boxes.isfinite().all()
