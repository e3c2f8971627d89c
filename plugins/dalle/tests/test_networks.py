"""The networks are those of the package DALL-E 0.1, to the bit, and their files are read without running code."""

import os

import pytest
import torch
from conftest import mosaic
from pixforge_dalle.load import load
from pixforge_dalle.models import DvaeFolders, published
from pixforge_dalle.networks import Decoder, Encoder, Shape
from safetensors.torch import load_file, save_file

from pixforge.errors import WeightsError
from pixforge.testing import check_model, make_context

SMALL = Shape(codes=512, length=8, width=64, blocks=1)
LOGITS = [-2.406357, 7.492926, 2.938511, 6.624659]
CODES = [381, 381, 381, 478, 381, 478, 381, 381, 381, 381, 381, 381]
SHOWN = [0.52774, 0.235992, 0.926836]
"""What DALL-E 0.1 computes with scrambled weights."""


def scrambled(count, number=0):
    """Numbers in -1 to 1 that are the same on every machine."""
    large = torch.arange(count, dtype=torch.float64).mul(12.9898).add(number).sin() * 43758.5453
    return (large - large.floor()) * 2 - 1


def scramble(network):
    """Weights of about the size of trained ones."""
    with torch.no_grad():
        for number, each in enumerate(network.parameters()):
            size = 3 / each[0].numel() ** 0.5 if each.dim() > 1 else 0.1
            each.copy_((scrambled(each.numel(), number) * size).view_as(each))
    return network


def picture():
    colors = (
        scrambled(2 * 3 * 2 * 3, 9).sign().view(2, 3, 2, 3).repeat_interleave(8, 2).repeat_interleave(8, 3)
    )
    return ((colors + scrambled(colors.numel(), 99).view_as(colors) / 4) / 2.5 + 0.5).float()


def vectors(decoder, codes):
    return torch.nn.functional.embedding(codes, decoder.codebook()).permute(0, 3, 1, 2)


def test_the_published_sizes():
    with torch.device("meta"):
        encoder, decoder = Encoder(Shape()), Decoder(Shape())
    counts = [sum(each.numel() for each in network.parameters()) for network in (encoder, decoder)]
    assert counts == [53_786_240, 43_829_766]
    assert published().parameters == sum(counts)
    state = encoder.state_dict()
    assert state["blocks.group_4.block_1.id_path.w"].shape == (2048, 1024, 1, 1)
    assert state["blocks.group_3.block_2.res_path.conv_2.w"].shape == (256, 256, 3, 3)
    assert decoder.state_dict()["blocks.output.conv.w"].shape == (6, 256, 1, 1)


def test_what_the_package_computes():
    """The numbers are those of DALL-E 0.1 with the same weights."""
    encoder, decoder = scramble(Encoder(SMALL)), scramble(Decoder(SMALL))
    with torch.no_grad():
        logits = encoder(picture())
        shown = decoder(vectors(decoder, logits.argmax(dim=1))).clamp(0, 1)
    assert logits.shape == (2, 512, 2, 3)
    assert shown.shape == (2, 3, 16, 24)
    torch.testing.assert_close(logits[0, :4, 0, 0], torch.tensor(LOGITS), atol=1e-5, rtol=0)
    assert logits.argmax(dim=1).flatten().tolist() == CODES
    torch.testing.assert_close(shown[0, :, 9, 3], torch.tensor(SHOWN), atol=1e-5, rtol=0)


def test_the_package_itself_gives_the_same_bits():
    package = pytest.importorskip("dall_e")
    sizes = {"n_hid": 64, "n_blk_per_group": 1, "vocab_size": 512}
    theirs = package.Encoder(**sizes), package.Decoder(n_init=8, **sizes)
    encoder, decoder = Encoder(SMALL), Decoder(SMALL)
    for ours, their in zip((encoder, decoder), theirs, strict=True):
        ours.load_state_dict(scramble(their).state_dict())
    with torch.no_grad():
        wanted = theirs[0](package.map_pixels(picture()))
        assert torch.equal(encoder(picture()), wanted)
        codes = wanted.argmax(dim=1)
        hot = torch.nn.functional.one_hot(codes, 512).permute(0, 3, 1, 2).float()
        painted = package.unmap_pixels(theirs[1](hot)[:, :3].sigmoid())
        assert torch.equal(decoder(vectors(decoder, codes)).clamp(0, 1), painted)


def test_checkpointing_changes_no_gradient():
    decoder, found = scramble(Decoder(SMALL)), []
    for checkpointing in (False, True):
        z = vectors(decoder, torch.zeros(1, 2, 2, dtype=torch.long)).detach().requires_grad_()
        decoder(z, checkpointing=checkpointing).square().sum().backward()
        found.append(z.grad)
    assert torch.equal(*found)


class Runs:
    """An object whose pickle calls a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def files_of(folder):
    return make_context(models=[DvaeFolders()]).model_files(str(folder), "dvae")


@pytest.mark.parametrize("legacy", [False, True])
def test_published_pickles_are_read_and_their_code_is_not_run(tmp_path, legacy):
    trap, networks = tmp_path / "trap", mosaic()
    for name, network in zip(("encoder", "decoder"), networks, strict=True):
        network.hostile = Runs(os.system, f"touch {trap}")
        torch.save(network, tmp_path / f"{name}.pkl", _use_new_zipfile_serialization=not legacy)
    for ours, wanted in zip(load(files_of(tmp_path)), networks, strict=True):
        state = ours.state_dict()
        assert all(torch.equal(state[name], each) for name, each in wanted.state_dict().items())
    assert not trap.exists()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("encoder", {"blocks.input.w": None}, "holds no discrete VAE: blocks.input.w is missing"),
        ("encoder", {"blocks.input.w": torch.zeros(8, 4, 7, 7)}, "takes 4 channels"),
        ("decoder", {"blocks.input.w": torch.zeros(3)}, "no convolution"),
        ("decoder", {"blocks.output.conv.b": None}, r"decoder.safetensors lacks blocks.output.conv.b"),
        ("decoder", {"blocks.input.w": torch.zeros(8, 9, 1, 1)}, r"blocks.output.conv.w is \[512, 64, 1, 1\], not \[9,"),
        ("encoder", {"blocks.input.b": torch.full((8,), torch.nan)}, "not finite, in blocks.input.b"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_one_line(model, tmp_path, name, change, message):
    for each in ("encoder", "decoder"):
        state = load_file(model / f"{each}.safetensors") | (change if each == name else {})
        state = {key: tensor for key, tensor in state.items() if tensor is not None}
        save_file(state, tmp_path / f"{each}.safetensors")
    with pytest.raises(WeightsError, match=message) as caught:
        load(files_of(tmp_path))
    assert "\n" not in str(caught.value)


def test_the_published_model_is_declared_and_folders_are_found(model, tmp_path):
    check_model(published())
    assert DvaeFolders().find("nowhere", tmp_path) is None
    with pytest.raises(WeightsError, match=r"has no encoder\.safetensors, nor the same"):
        DvaeFolders().find(".", tmp_path)
    assert set(files_of(model).provenance()["files"]) == {"encoder.safetensors", "decoder.safetensors"}
