"""The report of a step, as exporters get it."""

import numpy as np
import torch

from pixforge.contracts import StepReport


def test_pixels_are_the_nearest_bytes_and_the_channels_come_last():
    values = torch.tensor([-3.0, -0.001, 0.0, 0.4 / 255, 0.6 / 255, 0.5, 254.4 / 255, 1.0, 1.001, 3.0])
    image = torch.stack([values, values.flip(0), torch.zeros(10)]).view(1, 3, 2, 5)
    before = image.clone()
    pixels = StepReport(1, 1, image, 0.1).pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape == (1, 2, 5, 3)
    assert pixels.flags["C_CONTIGUOUS"]
    expected = [0, 0, 0, 0, 1, 128, 254, 255, 255, 255]
    assert pixels[..., 0].ravel().tolist() == expected
    assert pixels[..., 1].ravel().tolist() == expected[::-1]
    assert torch.equal(image, before)
