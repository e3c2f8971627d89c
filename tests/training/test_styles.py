"""Styles made from the art: each draws another picture of the same thing, and no two are alike."""

import itertools

import filters
import pytest
import styles
import torch


@pytest.fixture(scope="module")
def drawn():
    """Two pictures (2, 3, 64, 64): a red disk with a dark spot on light blue, and a yellow square on dark green."""
    axis = torch.arange(64) - 31.5
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    radius = (y.square() + x.square()).sqrt()
    disk, spot = (22 - radius).clamp(0, 1), (5 - radius).clamp(0, 1)
    first = (
        color(0.7, 0.85, 1.0) * (1 - disk)
        + color(0.85, 0.1, 0.1) * (disk - spot)
        + color(0.1, 0.1, 0.1) * spot
    )
    square = ((y.abs() < 18) & (x.abs() < 18)).float()
    second = color(0.1, 0.3, 0.15) * (1 - square) + color(0.95, 0.85, 0.2) * square
    return torch.stack((first, second))


def color(red, green, blue):
    return torch.tensor([red, green, blue])[:, None, None]


def apply(name, pictures):
    torch.manual_seed(5)
    return styles.STYLES[name](pictures)


@pytest.mark.parametrize("name", styles.STYLES)
def test_a_style_draws_the_same_shape_in_another_way(name, drawn):
    before = drawn.clone()
    out = apply(name, drawn)
    assert out.shape == drawn.shape
    assert out.isfinite().all()
    assert 0 <= out.min() <= out.max() <= 1
    assert (out - drawn).abs().mean() > 0.02
    assert torch.equal(drawn, before)  # the art is drawn again in other styles
    assert torch.equal(out, apply(name, drawn))


@pytest.mark.parametrize("name", styles.STYLES)
@pytest.mark.parametrize("size", [48, 100])
def test_a_style_fits_any_size(name, size, drawn):
    scaled = torch.nn.functional.interpolate(drawn, size=(size, size), mode="bilinear")
    assert apply(name, scaled).shape == (2, 3, size, size)


def test_no_two_styles_look_alike(drawn):
    out = {name: apply(name, drawn) for name in styles.STYLES}
    for (one, first), (other, second) in itertools.combinations(out.items(), 2):
        assert (first - second).abs().mean() > 0.02, (one, other)


@pytest.mark.parametrize("name", styles.STYLES)
def test_the_outline_stays_where_it_was(name, drawn):
    # Smoothed, so that strokes, dots and leads do not count: what is in the disk differs from what is beside it.
    out = filters.blur(apply(name, drawn), 2)[0]
    rim, beside = out[:, 32, 10:16], out[:, 32, 0:6]
    assert (rim.mean(1) - beside.mean(1)).abs().max() > 0.08


def test_every_style_has_captions():
    assert list(styles.CAPTIONS) == list(styles.STYLES)
    for name, texts in styles.CAPTIONS.items():
        assert 2 <= len(texts) <= 4, name
        assert all(text.count("{}") == 1 for text in texts), name
    every = list(itertools.chain(*styles.CAPTIONS.values()))
    assert len(set(every)) == len(every)


def test_a_share_is_drawn_in_styles(drawn):
    torch.manual_seed(0)
    many = drawn[:1].expand(60, -1, -1, -1)
    out, numbers = styles.in_styles(many, 0.5)
    plain = numbers == styles.PLAIN
    assert 15 < plain.sum() < 45
    assert torch.equal(out[plain], many[plain])
    assert all((out[i] - many[i]).abs().mean() > 0.01 for i in (~plain).nonzero()[:, 0])
    assert numbers.min() >= 0
    assert (styles.in_styles(many, 0.0)[1] == styles.PLAIN).all()


def test_few_colors_are_the_pictures_own(drawn):
    colors, nearest = filters.few_colors(drawn[1:], 2)
    assert torch.allclose(colors[0, :, 0], torch.tensor([0.1, 0.3, 0.15]), atol=1e-4)  # the ground first
    assert torch.allclose(colors[0, :, 1], torch.tensor([0.95, 0.85, 0.2]), atol=1e-4)
    assert nearest[0, 32, 32] == 1
    assert nearest.sum() == 36 * 36


def test_the_ground_is_a_plane_through_the_border():
    slope = torch.linspace(0.2, 0.8, 32).view(1, 1, 1, -1).expand(1, 3, 32, 32).clone()
    covered = slope.clone()
    covered[..., 8:24, 8:24] = 1.0
    assert torch.allclose(filters.ground(covered), slope, atol=1e-4)
    assert torch.equal(filters.inside(covered)[0, 0, 8:24, 8:20], torch.ones(16, 12))
    assert filters.inside(covered)[0, 0, :4].max() == 0


def test_pieces_follow_the_colors(drawn):
    torch.manual_seed(1)
    labels = filters.superpixels(drawn[1:], 10, 0.8, 16.0, square=False)
    flat = filters.filled(filters.means(drawn[1:], labels, 144), labels)
    assert (flat - drawn[1:]).abs().mean() < 0.01
