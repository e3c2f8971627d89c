"""A tiny discrete VAE whose weights are worked out by hand: it reads and paints the color of each 8 x 8 pixels."""

import math

import pytest
import torch
from pixforge_dalle.networks import MARGIN, Decoder, Encoder, Shape
from safetensors.torch import save_file

LEVELS = 8
SHAPE = Shape(codes=LEVELS**3, length=8, width=8, blocks=1)
OFFSET = 4.0
"""Keeps what the decoder passes on above 0, where ReLU leaves it alone."""


def colors():
    """`[512, 3]`, the color of each code: eight levels of red, green and blue."""
    level = torch.linspace(0, 1, LEVELS)
    return torch.stack([each.flatten() for each in torch.meshgrid(level, level, level, indexing="ij")], dim=1)


def passing(network):
    """All weights 0, but for paths past the blocks that hand on the first three channels."""
    for name, each in network.named_parameters():
        each.data.zero_()
        if name.endswith("id_path.w"):
            each.data[[0, 1, 2], [0, 1, 2]] = 1
    return network


def mosaic():
    """An encoder that takes the nearest color, and a decoder that paints it."""
    encoder, decoder = passing(Encoder(SHAPE)), passing(Decoder(SHAPE))
    seen = (1 - 2 * MARGIN) * colors() + MARGIN
    with torch.no_grad():
        encoder.blocks.input.w[[0, 1, 2], [0, 1, 2], 3, 3] = 1
        # The nearest color c of x has the largest 2 c x - |c|^2.
        encoder.blocks.output.conv.w[:, :3, 0, 0] = 2 * seen
        encoder.blocks.output.conv.b.copy_(-seen.square().sum(dim=1))
        decoder.blocks.input.w[:3, :, 0, 0] = (seen.logit() + OFFSET).T
        decoder.blocks.output.conv.w[[0, 1, 2], [0, 1, 2]] = 1
        decoder.blocks.output.conv.b[:3] = -OFFSET
    assert math.isclose(float(seen.min()), MARGIN, rel_tol=1e-6)
    return encoder, decoder


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """The folder of the tiny model."""
    folder = tmp_path_factory.mktemp("mosaic")
    for name, network in zip(("encoder", "decoder"), mosaic(), strict=True):
        save_file(network.state_dict(), folder / f"{name}.safetensors")
    return folder
