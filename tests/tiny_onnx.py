"""Writes a tiny network as an ONNX file, without a library for that."""

import numpy as np


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


def red_is_near(path, side=32, channels=1, cell=1):
    """One convolution that gives the mean red of `cell` x `cell` pixels; of all pixels, it is a single number."""
    weight = np.zeros((channels, 3, cell, cell), np.float32)
    weight[:, 0] = 1 / cell**2
    sides = b"".join(field(1, each) for each in weight.shape)
    kernel = field(1, "kernel_shape") + field(8, cell) + field(8, cell) + field(20, 7)
    node = field(1, "x") + field(1, "w") + field(2, "y") + field(3, "c") + field(4, "Conv") + field(5, kernel)
    stored = sides + field(2, 1) + field(8, "w") + field(9, weight.tobytes())
    ends = field(11, tensor_type("x", (1, 3, side, side))) + field(
        12, tensor_type("y", (1, channels, side - cell + 1, side - cell + 1))
    )
    graph = field(1, node) + field(2, "g") + field(5, stored) + ends
    path.write_bytes(field(1, 7) + field(7, graph) + field(8, field(1, b"") + field(2, 13)))
