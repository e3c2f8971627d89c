"""A camera in space by a network in an ONNX file; a tiny one is written here: nearness is what is red."""

import numpy as np
import pytest
import torch

from pixforge.builtin.edits.camera.camera import Camera
from pixforge.builtin.edits.camera.config import CameraConfig
from pixforge.contracts import Film
from pixforge.errors import InputError
from pixforge.testing import make_context

cv2 = pytest.importorskip("cv2")
FILM = Film(fps=1, steps_per_frame=1, first_frame_steps=1)


def varint(number):
    head, rest = number & 127, number >> 7
    return bytes([head | 128]) + varint(rest) if rest else bytes([head])


def field(number, value):
    """A field of a protocol buffer: a whole number, or bytes after their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor_type(name, shape):
    sides = b"".join(field(1, field(1, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, sides)))


def red_is_near(path, side=32, channels=1):
    """One convolution of 1 x 1 with the weights 1, 0, 0."""
    weight = np.zeros((channels, 3, 1, 1), np.float32)
    weight[:, 0] = 1
    sides = b"".join(field(1, each) for each in weight.shape)
    kernel = field(1, "kernel_shape") + field(8, 1) + field(8, 1) + field(20, 7)
    node = field(1, "x") + field(1, "w") + field(2, "y") + field(3, "c") + field(4, "Conv") + field(5, kernel)
    stored = sides + field(2, 1) + field(8, "w") + field(9, weight.tobytes())
    ends = field(11, tensor_type("x", (1, 3, side, side))) + field(
        12, tensor_type("y", (1, channels, side, side))
    )
    graph = field(1, node) + field(2, "g") + field(5, stored) + ends
    path.write_bytes(field(1, 7) + field(7, graph) + field(8, field(1, b"") + field(2, 13)))


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
