"""Trainings draw their pictures on a GPU; a device of the tests stands in for it."""

import codes
import pytest
import torch
from compose import Art, Composer, Words
from mixed import Mixture, scene_composer
from other_device import OTHER, Elsewhere, other_device

WORDS = [
    Words("red apple", ("apple",), (), "food-drink", "food-fruit"),
    Words("cat face", ("cat",), (), "animals-nature", "animal-mammal"),
    Words("house", (), (), "travel-places", "place-building"),
    Words("full moon", (), (), "travel-places", "sky-weather"),
    Words("red square", (), (), "symbols", "geometric"),
]


@pytest.fixture(scope="module")
def art():
    """Disks in five colors, and the same in one color, inked."""
    axis = torch.arange(48) - 23.5
    disk = (16.5 - (axis[:, None].square() + axis.square()).sqrt()).clamp(0, 1)
    paint = torch.tensor([(1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0), (1.0, 1.0, 0), (1.0, 0, 1.0)])
    colors = torch.cat((paint, torch.ones(5, 1)), 1)[..., None, None]
    ink = torch.tensor([1.0, 0, 0, 1])[:, None, None].expand(5, 4, 1, 1)
    pictures = (torch.cat((colors, ink)) * disk * 255).round().byte()
    labels, inked = torch.arange(10) % 5, torch.arange(10) > 4
    return Art(pictures, labels, torch.zeros(10).long(), WORDS, inked)


def test_the_device_refuses_tensors_of_the_host():
    with other_device():
        there = torch.ones(3, device=OTHER)
        assert isinstance(there + 1, Elsewhere)
        for wrong in (
            lambda: there + torch.ones(3),
            lambda: torch.ones(3)[there.long()],
            lambda: there.index_put_((torch.tensor([0]),), torch.ones(1)),
        ):
            with pytest.raises(RuntimeError, match="two devices"):
                wrong()


def test_batches_are_drawn_on_the_device(art):
    with other_device():
        single = Composer(art, 32, OTHER, plain=0.7, pairs=0.3, tints=0.2, styled=0.6, places=0.5)
        batch = Mixture(single, scene_composer(art, 32, OTHER, degraded=True), 0.4)(160)
    assert batch.pictures.shape == (160, 3, 32, 32)
    assert all(isinstance(each, Elsewhere) for each in vars(batch).values())


def test_codes_are_made_of_pictures_on_the_device(art):
    torch.manual_seed(1)
    scene = codes.version(art)
    with other_device():
        pictures = codes.placed(art.to(OTHER), scene.to(OTHER))
    assert isinstance(pictures, Elsewhere)
    assert pictures.shape == (len(scene.pictures), 3, codes.SIDE, codes.SIDE)
