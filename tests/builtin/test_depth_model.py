"""A camera in space by a network in an ONNX file; a tiny one is written here: nearness is what is red."""

import pytest
import torch
from tiny_onnx import red_is_near

from pixforge.builtin.edits.camera.camera import Camera
from pixforge.builtin.edits.camera.config import CameraConfig
from pixforge.contracts import Film
from pixforge.errors import InputError
from pixforge.testing import make_context

cv2 = pytest.importorskip("cv2")
FILM = Film(fps=1, steps_per_frame=1, first_frame_steps=1)


def camera(folder, **fields):
    context = make_context((32, 32), 1, film=FILM, folder=folder)
    return Camera(CameraConfig(depth_model="near.onnx", depth_side=32, **fields), context)


def test_what_the_network_sees_near_moves_faster(tmp_path):
    """A pan of 4 pixels with relief 1: red goes 8 of them, blue stays. Two canvases with other depths."""
    red_is_near(tmp_path / "near.onnx")
    images = torch.zeros(2, 3, 32, 32)
    images[0, 0, 4:16, 4:12] = 1
    images[0, 2, 20:28, 4:12] = 1
    images[1, 0, 20:28, 8:16] = 1
    made = camera(tmp_path, pan_x=0.125, relief=1, infill="border")
    assert made.warp(1) is None
    moved = made.forward(images, 1)

    def right(canvas, channel, row):
        return int((moved[canvas, channel, row] > 0.5).nonzero()[-1])

    assert right(0, 0, 10) == pytest.approx(11 + 8, abs=1)
    assert right(0, 2, 24) == 11
    assert right(1, 0, 24) == pytest.approx(15 + 8, abs=1)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b"hello" * 9), "cannot be read as an ONNX file"),
        (lambda path: path.write_bytes(b""), "cannot be read as an ONNX file"),
        (lambda path: path.mkdir(), "cannot be read as an ONNX file"),
        (lambda path: red_is_near(path, channels=2), r"gives \[1, 2, 32, 32\], and not one"),
    ],
)
def test_other_files_are_one_line(tmp_path, make, reason):
    make(tmp_path / "near.onnx")
    with pytest.raises(InputError, match=reason) as caught:
        camera(tmp_path)
    assert "\n" not in str(caught.value)
