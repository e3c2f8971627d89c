"""Tiny models of this package's own form, with random weights."""

import json

import pytest
import torch
from pixforge_unclip.networks import Decoder, DecoderShape, Prior, PriorShape
from safetensors.torch import save_file

FAKE = {"type": "fake"}
EMBEDDED = {"type": "open_clip", "model": "embedded"}
LENGTHS = {"fake": 13, "open_clip": 256}


def save_tiny(folder, perceptor=FAKE, upsampler=False, **changes):
    """A model whose last layers are not zero, so that what it is told matters."""
    torch.manual_seed(0)
    length = LENGTHS[perceptor["type"]]
    prior = {"embedding": length, "width": 8, "depth": 1}
    decoder = {"embedding": length, "channels": 16, "side": 4, "width": 8, "told": 8, "heads": 2}
    networks = {"prior": Prior(PriorShape(**prior)), "decoder": Decoder(DecoderShape(**decoder))}
    if upsampler:
        changes = {"upsampler": {**decoder, "side": 8, "guide": 16}, **changes}
        networks["upsampler"] = Decoder(DecoderShape(**changes["upsampler"]))
    folder.mkdir(exist_ok=True)
    for name, network in networks.items():
        for each in network.parameters():
            each.data.add_(torch.randn_like(each) * 0.2)
        save_file(
            {key: each.half() for key, each in network.state_dict().items()}, folder / f"{name}.safetensors"
        )
    card = {"perceptor": perceptor, "generator": {"type": "vqgan", "model": "embedded"}, "size": 32}
    card |= {"prior": prior, "decoder": decoder, **changes}
    (folder / "unclip.json").write_text(json.dumps(card))
    return folder


@pytest.fixture
def tiny(tmp_path):
    """A folder with a model for the perceptor without weights."""
    return save_tiny(tmp_path / "tiny")


@pytest.fixture
def small(tmp_path):
    """A folder with a model for the embedded perceptor."""
    return save_tiny(tmp_path / "small", EMBEDDED)


@pytest.fixture
def large(tmp_path):
    """A folder with a model that has an upsampler."""
    return save_tiny(tmp_path / "large", upsampler=True)
