"""Augmentations and cutouts do what torchvision's of the same name do: on ones, a gradient and a grid."""

from __future__ import annotations

import pytest
import torch

from pixforge.builtin.augmentations.affine import Affine, AffineConfig
from pixforge.builtin.augmentations.color import Color, ColorConfig
from pixforge.builtin.augmentations.erasing import Erasing, ErasingConfig
from pixforge.builtin.augmentations.flip import Flip, FlipConfig
from pixforge.builtin.augmentations.perspective import (
    Perspective,
    PerspectiveConfig,
    quad_to_square,
    random_quads,
)
from pixforge.builtin.cutouts.disco import Disco, DiscoConfig
from pixforge.builtin.cutouts.pixray import Pixray, PixrayConfig
from pixforge.engine.warp import ImagePyramid, transform_colors
from pixforge.testing import make_context
from pixforge.torchvision_shim import install_torchvision_shim

install_torchvision_shim()
from torchvision.transforms import (  # noqa: E402
    ColorJitter,
    Compose,
    InterpolationMode,
    RandomErasing,
    RandomPerspective,
    RandomResizedCrop,
)
from torchvision.transforms import functional as tv  # noqa: E402

SIZE = 64
CONTEXT = make_context(canvases=1, steps=10)
AXIS = (torch.arange(SIZE) + 0.5) / SIZE
PICTURES = {
    "ones": torch.ones(3, SIZE, SIZE),
    "gradient": torch.stack(
        [AXIS.expand(SIZE, SIZE), AXIS[:, None].expand(SIZE, SIZE), torch.ones(SIZE, SIZE)]
    ),
    "grid": ((torch.arange(SIZE) // 8 % 2)[:, None] ^ (torch.arange(SIZE) // 8 % 2))
    .float()
    .expand(3, -1, -1),
}


def ours(warp, picture):
    return ImagePyramid(picture[None], 1).sample(warp, SIZE, "black")[0]


def facts(cutouts):
    """The share of picture, the mean position of what shows, and how far it spreads."""
    shown = cutouts[:, -1].clamp(0, 1)
    share = shown.mean(dim=(1, 2))
    x = (shown * AXIS).sum(dim=(1, 2)) / shown.sum(dim=(1, 2))
    spread = ((shown * (AXIS - x[:, None, None]) ** 2).sum(dim=(1, 2)) / shown.sum(dim=(1, 2))).sqrt()
    return share, x, spread


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_perspective_is_torchvisions(picture):
    quads = random_quads(CONTEXT.draws.at("quads"), 12, 0.7, 1.0)[0]
    corners = [[0, 0], [SIZE, 0], [SIZE, SIZE], [0, SIZE]]
    for quad, found in zip(quads, ours(quad_to_square(quads)[None], picture), strict=True):
        ends = ((quad + 1) / 2 * SIZE).tolist()
        theirs = tv.perspective(picture, corners, ends, InterpolationMode.BILINEAR, fill=[0.0] * 3)
        # Along the edge, theirs fades over a pixel and ours does not.
        assert (found - theirs).abs().gt(0.05).float().mean() < 0.06
        assert found[2].mean() == pytest.approx(float(theirs[2].mean()), abs=0.02)


@pytest.mark.parametrize("distortion", [0.3, 0.7])
def test_random_perspectives_are_as_strong_as_torchvisions(distortion):
    torch.manual_seed(0)
    warp = Perspective(PerspectiveConfig(distortion=distortion, probability=1), CONTEXT).warp(
        CONTEXT.draws.at("perspective"), 400, 0
    )
    theirs = torch.stack(
        [
            tv.perspective(
                PICTURES["ones"], *RandomPerspective.get_params(SIZE, SIZE, distortion), fill=[0.0] * 3
            )
            for _ in range(400)
        ]
    )
    for mine, other in zip(facts(ours(warp, PICTURES["ones"])), facts(theirs), strict=True):
        assert mine.mean() == pytest.approx(float(other.mean()), abs=0.02)
        assert mine.std() == pytest.approx(float(other.std()), abs=0.02)


@pytest.mark.parametrize(
    ("fields", "amounts"),
    [
        ({"degrees": 40, "translate": 0, "zoom": 0}, lambda u: {"angle": 40 * u}),
        ({"degrees": 0, "translate": 0.3, "zoom": 0}, lambda u: {"translate": [SIZE * 0.3 * u, 0]}),
        ({"degrees": 0, "translate": 0, "zoom": 0.4}, lambda u: {"scale": 1 / (1 + 0.4 * u)}),
        ({"degrees": 0, "translate": 0, "zoom": 0, "shear": 30}, lambda u: {"shear": [30 * u, 0.0]}),
    ],
    ids=["degrees", "translate", "zoom", "shear"],
)
def test_affine_is_as_strong_as_torchvisions(fields, amounts):
    warp = Affine(AffineConfig(**fields), CONTEXT).warp(CONTEXT.draws.at("affine"), 600, 0)
    if fields["translate"]:
        warp[..., 1, 2] = 0  # both directions at once would say less about each
    plain = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    theirs = torch.stack(
        [
            tv.affine(PICTURES["ones"], **{**plain, **amounts(float(share))}, fill=[0.0] * 3)
            for share in torch.linspace(-1, 1, 200)
        ]
    )
    for mine, other in zip(facts(ours(warp, PICTURES["ones"])), facts(theirs), strict=True):
        assert mine.mean() == pytest.approx(float(other.mean()), abs=0.02)
        assert mine.std() == pytest.approx(float(other.std()), abs=0.02)


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_flip_is_torchvisions(picture):
    warp = Flip(FlipConfig(horizontal=1, vertical=0), CONTEXT).warp(CONTEXT.draws.at("flip"), 1, 0)
    torch.testing.assert_close(ours(warp, picture)[0], tv.hflip(picture), atol=1e-5, rtol=0)
    warp = Flip(FlipConfig(horizontal=0, vertical=1), CONTEXT).warp(CONTEXT.draws.at("flip"), 1, 0)
    torch.testing.assert_close(ours(warp, picture)[0], tv.vflip(picture), atol=1e-5, rtol=0)


def alike(mine, other, tolerance=0.02):
    assert float(mine.mean()) == pytest.approx(float(other.mean()), abs=tolerance)
    assert float(mine.std()) == pytest.approx(float(other.std()), abs=tolerance)


def seen(cutouts):
    """The share of picture, the mean position of what of it is seen, and how many pixels of it a cutout is wide."""
    whole = cutouts[:, 2] > 0.999  # not where theirs fades at the edges
    count = whole.sum(dim=(1, 2))
    both = whole[:, :, 1:] & whole[:, :, :-1]
    steps = (cutouts[:, 0].diff(dim=-1) * both).sum(dim=(1, 2)) / both.sum(dim=(1, 2))
    places = ((cutouts[:, axis] * whole).sum(dim=(1, 2)) / count for axis in (0, 1))
    return [cutouts[:, 2].mean(dim=(1, 2)), *places, steps * SIZE]


@pytest.mark.parametrize(
    ("field", "amount", "contrast"),
    [("brightness", 0.3, 0.02), ("contrast", 0.3, 0.02), ("saturation", 0.3, 0.02), ("hue", 0.1, 0.03)],
)
def test_colors_change_as_much_as_torchvisions(field, amount, contrast):
    """Not the same: one matrix for each cutout turns the hue around the gray axis, and knows no mean of the cutout."""
    torch.manual_seed(0)
    picture = 0.35 + 0.3 * torch.rand(3, 8, 8)
    none = {"brightness": 0, "contrast": 0, "saturation": 0, "hue": 0}
    color = Color(ColorConfig(**{**none, field: amount}), CONTEXT)
    matrices = color.color(CONTEXT.draws.at(field), 400, 0)
    mine = transform_colors(picture.expand(1, 400, -1, -1, -1).contiguous(), matrices)[0]
    jitter = ColorJitter(**{field: amount})
    theirs = torch.stack([jitter(picture) for _ in range(400)])
    alike(mine.mean(dim=(1, 2, 3)), theirs.mean(dim=(1, 2, 3)), 0.01)
    alike(mine.std(dim=(1, 2, 3)), theirs.std(dim=(1, 2, 3)), contrast * 0.5)
    changes = [(each - picture).abs().mean() for each in (mine, theirs)]
    assert float(changes[0]) == pytest.approx(float(changes[1]), rel=0.25)


def test_erased_rectangles_are_torchvisions():
    torch.manual_seed(0)
    gray = torch.full((1, 400, 3, SIZE, SIZE), 0.5)
    mine = Erasing(ErasingConfig(probability=1), CONTEXT).apply(gray, CONTEXT.draws.at("erasing"), 0)[0]
    erase = RandomErasing(1.0, (0.1, 0.4), (0.55, 1 / 0.55))
    theirs = torch.stack([erase(gray[0, 0]) for _ in range(400)])
    for one, other in zip(*(_erased(each != 0.5) for each in (mine, theirs)), strict=True):
        alike(one, other, 0.025)


def _erased(covered):
    covered = covered.any(dim=1).float()
    width, height = (covered.amax(dim=axis).mean(dim=1) for axis in (1, 2))
    area = covered.mean(dim=(1, 2))
    return [area, width, height, (covered * AXIS).mean(dim=(1, 2)) / area]


@pytest.mark.parametrize("zoom", [0, 1], ids=["wide", "zoom"])
def test_pixrays_cuts_are_those_of_its_chain(zoom):
    """A perspective and a crop of the result; or the picture at .95 somewhere in the cutout, and a perspective."""
    torch.manual_seed(0)
    context = make_context((SIZE, SIZE), canvases=1, steps=10)
    config = PixrayConfig(count=400, zoom=zoom)
    place = Pixray(config, context).place(context.draws.at("cutouts"), (SIZE, SIZE), 0, SIZE)
    crop = RandomResizedCrop((SIZE, SIZE), scale=(0.25, 0.95), ratio=(0.85, 1.2))
    chain = Compose([RandomPerspective(0.4, p=0.7), crop]) if zoom else RandomPerspective(0.2, p=0.7)
    theirs = torch.stack([chain(PICTURES["gradient"] if zoom else _inside(0.95)) for _ in range(400)])
    pairs = zip(seen(ours(place.boxes, PICTURES["gradient"])), seen(theirs), strict=True)
    for (mine, other), tolerance in zip(pairs, (0.02, 0.015, 0.015, 0.03), strict=True):
        alike(mine, other, tolerance)


def _inside(share):
    small = tv.resize(PICTURES["gradient"], [round(SIZE * share)] * 2, antialias=True)
    left, top = (int(torch.randint(0, SIZE - small.shape[-1] + 1, ())) for _ in range(2))
    rest = SIZE - small.shape[-1]
    return tv.pad(small, [left, top, rest - left, rest - top])


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_discos_overview_is_the_picture_in_a_gray_square(picture):
    wide = picture[:, : SIZE // 2]
    context = make_context((SIZE, SIZE // 2), canvases=1, steps=1000)
    config = DiscoConfig(count=1, overview=1)
    place = Disco(config, context).place(context.draws.at("cutouts"), (SIZE, SIZE // 2), 0, SIZE)
    mine = ImagePyramid(wide[None], 1).sample(place.boxes, SIZE, place.padding)[0, 0]
    torch.testing.assert_close(mine, tv.pad(wide, [0, SIZE // 4], fill=0.5), atol=1e-4, rtol=0)
