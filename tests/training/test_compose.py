"""Pictures to train on: one-color drawings in colors, before places and in styles."""

import pytest
import torch
from codes import background, placed_somewhere, styled
from codes import placed as clean_pictures
from compose import BACKGROUNDS, COLORS, NO_COLOR, Art, Composer, Words, wanted
from grounds import with_grounds
from styles import PLAIN, in_style

CPU = torch.device("cpu")
WORDS = [Words(name, (), (), "objects", "listed") for name in ("ring", "disk")]


@pytest.fixture(scope="module")
def art():
    """A ring in ink, which encloses paper, and a red disk."""
    axis = torch.arange(64) - 31.5
    radius = (axis[:, None].square() + axis.square()).sqrt()
    whole, hole = (26 - radius).clamp(0, 1), (16 - radius).clamp(0, 1)
    ring = torch.stack((whole - hole, whole * 0, whole * 0, whole))
    disk = torch.stack((whole * 0.9, whole * 0.1, whole * 0.1, whole))
    pictures = (torch.stack((ring, disk)) * 255).round().byte()
    return Art(pictures, torch.arange(2), torch.zeros(2).long(), WORDS, torch.tensor([True, False]))


def test_ink_gets_many_colors_and_can_be_seen_before_every_ground(art):
    torch.manual_seed(0)
    ring = art.only(art.inked)
    batch = Composer(ring, 64, CPU, degraded=False)(64)
    pictures = batch.pictures.float() / 255
    assert (pictures.amax((2, 3)) - pictures.amin((2, 3))).amax(1).min() > 0.1
    assert pictures.mean((2, 3)).std(0).min() > 0.1


def test_clean_drawings_of_ink_are_black_and_open(art):
    ring, disk = art.clean
    assert not ring[:3].any()
    assert ring[3, 32, 32] == 0 < ring[3, 32, 10]
    assert torch.equal(disk, art.pictures[1])


def test_places_and_styles_are_told_by_number(art):
    torch.manual_seed(0)
    there = Composer(art, 64, CPU, places=1.0, degraded=False)(16)
    assert (there.colors >= len(COLORS)).sum() > 10  # but where white or black was needed to see the thing
    drawn = Composer(art, 64, CPU, styled=1.0, degraded=False)(16)
    assert (drawn.styles != PLAIN).all()
    assert (drawn.colors == NO_COLOR).all()


def test_a_negative_number_leaves_a_picture_without_a_ground():
    pictures = torch.rand(3, 3, 32, 32)
    found = with_grounds(pictures, torch.tensor([-1, 0, -5]))
    assert torch.equal(found[[0, 2]], pictures[[0, 2]])
    assert not torch.equal(found[1], pictures[1])
    plain = background(torch.tensor([0, 1, len(BACKGROUNDS) - 1]), 8)
    assert (plain[0] == 1).all()
    assert plain[1].max() < 0.05
    assert plain[2].std() > 0


def test_coded_pictures_show_their_styles_and_places(art):
    torch.manual_seed(0)
    scene = styled(art, 8)
    assert (scene.styles < PLAIN).all()
    as_drawn = torch.rand(8, 3, 64, 64)
    assert all(
        not torch.equal(new, old) for new, old in zip(in_style(as_drawn, scene.styles), as_drawn, strict=True)
    )
    assert torch.equal(in_style(as_drawn, torch.full((8,), PLAIN)), as_drawn)
    shown = clean_pictures(art, placed_somewhere(art, 8), 32)
    assert shown.shape == (8, 3, 32, 32)
    assert -1 <= shown.min() < shown.max() <= 1


def test_drawings_in_colors_are_asked_for_more_often_than_ink_of_the_same_kind(art):
    disk, ring = art.pictures[1], art.pictures[0]
    labels, inked = torch.tensor([1, 1, 1, 0, 0]), torch.tensor([False, True, True, True, True])
    mixed = Art(torch.stack((disk, ring, ring, ring, ring)), labels, labels * 0, WORDS, inked)
    colored, *ink, first, second = (wanted(mixed) / wanted(mixed).sum()).tolist()
    assert colored == pytest.approx(0.5 / 1.2)
    assert ink == pytest.approx([0.05 / 1.2] * 2)
    assert first == second == pytest.approx(0.25)
