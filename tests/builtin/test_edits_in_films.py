"""Feedback, and a camera that moves in space."""

import pytest
import torch

import pixforge
from pixforge.builtin.edits.camera.camera import Camera
from pixforge.builtin.edits.camera.config import CameraConfig
from pixforge.builtin.edits.feedback import Feedback, FeedbackConfig
from pixforge.contracts import Film
from pixforge.errors import InputError
from pixforge.testing import make_context

SIZE = (48, 32)


def context(**fields):
    return make_context(SIZE, 1, film=Film(fps=1, steps_per_frame=1, first_frame_steps=1), **fields)


def test_what_comes_back_lies_over_the_picture():
    edit = Feedback(FeedbackConfig(amount=0.25, zoom=1), context())
    picture = torch.rand(1, 3, 32, 48)
    assert torch.allclose(edit.forward(picture, 1), picture)
    late = Feedback(FeedbackConfig(amount=0.25, zoom=1, delay=2), context())
    levels = [torch.full((1, 3, 32, 48), level) for level in (0.0, 0.4, 0.8, 1.0)]
    found = [float(late.forward(level, step).mean()) for step, level in enumerate(levels, 1)]
    assert found == pytest.approx([0, 0.4, 0.6, 0.85])  # 0.8 with a quarter of 0, 1.0 with a quarter of 0.4


def test_a_delay_is_in_frames_however_often_it_acts():
    """Of frame 0 to 5 every second one gets the picture of three frames before; the others stay as they are."""
    config = FeedbackConfig(amount=1, zoom=1, delay=3, every=2)
    edit = Feedback(config, context(steps=12))
    levels = [torch.full((1, 3, 32, 48), level) for level in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)]
    assert [edit.due(step) for step in range(1, 7)] == [True] * 6
    found = [float(edit.forward(level, step).mean()) for step, level in enumerate(levels, 1)]
    assert found == pytest.approx([0, 0.1, 0.2, 0, 0.4, 0.2])  # frames 3 and 5 are the fourth and the sixth
    later = Feedback(FeedbackConfig(delay=3, every=2, since=3, until=4), context(steps=12))
    assert [later.due(step) for step in range(1, 7)] == [False, False, True, True, False, False]
    plain = Feedback(FeedbackConfig(delay=3, every=2), make_context(SIZE, 1, steps=12))
    assert [plain.due(step) for step in range(1, 5)] == [False, True, False, True]


def test_a_frame_that_is_only_remembered_is_not_encoded_again():
    from pixforge.engine.edits import Edits
    from pixforge.engine.regions import Masks
    from pixforge.testing.latents import plain_generator

    here = context(steps=12)
    edit = Feedback(FeedbackConfig(delay=1, every=2, where="left"), here)
    edits = Edits([edit], plain_generator(here), Masks(here))
    pictures = torch.rand(3, 1, 3, 32, 48)
    assert [edits.apply(step, each) for step, each in enumerate(pictures, 1)] == [False, True, False]


@pytest.mark.parametrize(("mode", "expected"), [("mix", 0.4), ("lighten", 0.5), ("darken", 0.4)])
def test_modes(mode, expected):
    edit = Feedback(FeedbackConfig(amount=0.5, zoom=1, delay=1, mode=mode), context())
    edit.forward(torch.full((1, 3, 32, 48), 0.3), 1)
    assert float(edit.forward(torch.full((1, 3, 32, 48), 0.5), 2).mean()) == pytest.approx(expected)


def test_an_echo_is_larger_and_turned():
    picture = torch.zeros(1, 3, 32, 48)
    picture[..., 14:18, 34:38] = 1  # a quarter of the width to the right of the middle
    larger = Feedback(FeedbackConfig(amount=1, zoom=1.5), context()).forward(picture, 1)
    assert larger[0, 0, 16, 42] > 0.8  # 12 pixels from the middle become 18
    turned = Feedback(FeedbackConfig(amount=1, zoom=1, rotate=90), context()).forward(picture, 1)
    assert turned[0, 0, 28, 24] > 0.8  # clockwise: what was right is below


def test_it_goes_on_with_what_it_remembers():
    config = FeedbackConfig(delay=2, zoom=1)
    whole, first, second = (Feedback(config, context()) for _ in range(3))
    pictures = [torch.rand(1, 3, 32, 48) for _ in range(5)]
    expected = [whole.forward(each, step) for step, each in enumerate(pictures)]
    for step in range(3):
        first.forward(pictures[step], step)
    second.load_state(first.state())
    for step in (3, 4):
        assert torch.equal(second.forward(pictures[step], step), expected[step])


def test_a_delay_that_memory_does_not_hold_is_refused():
    with pytest.raises(InputError, match="feedback: delay: 1000 pictures of this size need more than 1 GiB"):
        Feedback(FeedbackConfig(delay=1000), make_context((2048, 2048), 1))


def halves(tmp_path):
    """The left half is near, the right one far."""
    from PIL import Image

    image = Image.new("L", SIZE, 0)
    image.paste(255, (0, 0, 24, 32))
    image.save(tmp_path / "depth.png")
    return tmp_path


def columns():
    """A white column in the middle of each half."""
    picture = torch.zeros(1, 3, 32, 48)
    picture[..., 11:13] = picture[..., 35:37] = 1
    return picture


def where(picture, left, right):
    line = picture[0, 0, 16, left:right]
    return float((line * torch.arange(left, right)).sum() / line.sum())


@pytest.mark.parametrize(("relief", "near", "far"), [(0, 3, 3), (0.5, 4.5, 1.5), (1, 6, 0)])
def test_what_is_near_moves_faster(tmp_path, relief, near, far):
    fields = {"depth": "depth.png", "relief": relief, "pan_x": 3 / 48}
    camera = Camera(CameraConfig(**fields), context(folder=halves(tmp_path)))
    after = camera.forward(columns(), 1)
    assert where(after, 0, 23) - 11.5 == pytest.approx(near, abs=0.2)
    assert where(after, 29, 48) - 35.5 == pytest.approx(far, abs=0.2)
    assert camera.warp(1) is None  # no homography does this


def test_the_depth_moves_with_the_picture_and_a_rotation_moves_all_alike(tmp_path):
    fields = {"depth": "depth.png", "relief": 1}
    camera = Camera(CameraConfig(**fields, pan_x=3 / 48), context(folder=halves(tmp_path)))
    camera.forward(columns(), 1)
    again = Camera(CameraConfig(**fields, pan_x=3 / 48), context(folder=tmp_path))
    again.load_state(camera.state())
    edge = float(camera.state()["depth"][0, 0, 16].sum())
    assert edge == pytest.approx(30, abs=1)  # the near half has gone 6 pixels to the right
    assert torch.equal(camera.forward(columns(), 2), again.forward(columns(), 2))
    turned = Camera(CameraConfig(**fields, rotate=180), context(folder=tmp_path))
    plain = Camera(CameraConfig(rotate=180), context())
    assert torch.allclose(turned.forward(columns(), 1), plain.forward(columns(), 1), atol=1e-3)


def test_a_depth_that_is_no_picture_is_one_line(tmp_path):
    (tmp_path / "depth.png").write_text("no picture")
    with pytest.raises(InputError, match=r"depth\.png: is not a picture") as caught:
        Camera(CameraConfig(depth="depth.png"), context(folder=tmp_path))
    assert "\n" not in str(caught.value)
    assert pixforge.PixforgeError in type(caught.value).__mro__
