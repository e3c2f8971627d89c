"""Load a discrete VAE from its files, with a one-line error if they do not fit together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import nn

from pixforge.errors import WeightsError
from pixforge_dalle.models import DECODER, ENCODER
from pixforge_dalle.networks import Decoder, Encoder, shape_of

if TYPE_CHECKING:
    from pixforge import ModelFiles


def load(files: ModelFiles) -> tuple[Encoder, Decoder]:
    """Both networks, in float32 on the CPU and frozen. Their sizes are read off the tensors.

    Raises:
        WeightsError: a file is damaged, or holds another network.
    """
    tensors = {name: files.tensors(name) for name in (ENCODER, DECODER)}
    try:
        shape = shape_of(tensors[ENCODER], tensors[DECODER])
    except WeightsError as error:
        raise WeightsError(f"{files.paths[ENCODER].parent} holds no discrete VAE: {error}") from error
    with torch.device("meta"):  # takes no memory until the tensors come, whatever sizes a file claims
        encoder, decoder = Encoder(shape), Decoder(shape)
    fill(encoder, tensors[ENCODER], str(files.paths[ENCODER]))
    fill(decoder, tensors[DECODER], str(files.paths[DECODER]))
    return encoder, decoder


def fill(network: nn.Module, tensors: Mapping[str, torch.Tensor], place: str) -> None:
    """Put the tensors of the file `place` into a network of the device meta, as float32, and freeze it.

    Raises:
        WeightsError: one is missing, of another size, or not finite.
    """
    wanted = network.state_dict()
    for name, each in wanted.items():
        if name not in tensors:
            raise WeightsError(f"{place} lacks {name}")
        if tensors[name].shape != each.shape:
            raise WeightsError(f"{place}: {name} is {list(tensors[name].shape)}, not {list(each.shape)}")
        if not tensors[name].isfinite().all():
            raise WeightsError(f"{place} has numbers that are not finite, in {name}")
    network.load_state_dict({name: tensors[name].float() for name in wanted}, assign=True)
    network.eval().requires_grad_(requires_grad=False)
