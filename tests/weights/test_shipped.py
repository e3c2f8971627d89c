"""The models that are in the package: whole, small enough to ship, and of any use."""

import pytest
import torch

from pixforge.builtin.perceptors.open_clip import OpenClip, OpenClipConfig
from pixforge.testing import make_scene
from pixforge.weights import verify
from pixforge.weights.shipped import SHIPPED, read_card

COLORS = {
    "red": (0.86, 0.15, 0.2),
    "green": (0.2, 0.65, 0.2),
    "blue": (0.15, 0.4, 0.85),
    "yellow": (0.98, 0.8, 0.2),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_files_are_whole_and_small(name):
    found = verify(name)
    assert found.published
    assert found.bytes <= 16e6
    assert read_card(name)["license"]


@pytest.mark.parametrize("name", SHIPPED)
def test_colored_disks_are_told_apart(name):
    eye = OpenClip(OpenClipConfig(model=name), make_scene())
    axis = torch.linspace(-1, 1, eye.input_size)
    inside = (axis[:, None] ** 2 + axis**2 < 0.7).float()
    disks = [torch.tensor(color).view(3, 1, 1) * inside + (1 - inside) for color in COLORS.values()]
    with torch.no_grad():
        seen = eye.encode_image(torch.stack(disks))
    words = eye.encode_text([f"{color} circle" for color in COLORS])
    assert (seen @ words.T).argmax(dim=1).tolist() == list(range(len(COLORS)))
