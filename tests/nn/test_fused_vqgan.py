"""The fused decoder makes the pictures and gradients of taming's, at any size and precision, and in training."""

import copy

import pytest
import torch
import torch.nn.functional as F
from taming.modules.diffusionmodules.model import Upsample
from test_exactness import SMALL, Taming, config
from torch import nn

from pixforge.builtin.generators.vqgan.load import build
from pixforge.nn import fused_vqgan
from pixforge.nn.fused_vqgan import FusedPointwise, FusedUpsample, fuse, to_picture

# With a shortcut of one pixel and with attention; two doublings.
WANTED = config(SMALL | {"ch_mult": [1, 2, 2]})


def frozen(network):
    return network.eval().requires_grad_(requires_grad=False)


def pair(dtype=torch.float32):
    """taming's own decoder and ours with the same weights, ours prepared."""
    torch.manual_seed(0)
    ours, theirs = frozen(build(WANTED)), frozen(Taming(WANTED))
    theirs.load_state_dict(ours.state_dict())
    ours.decode_in(dtype)
    return ours, theirs.to(dtype)


def look(decode, z):
    z = z.clone().requires_grad_()
    images = decode(z)
    weights = torch.randn(images.shape, generator=torch.Generator().manual_seed(4))
    (images * weights).sum().backward()
    return images.detach().float(), z.grad.float()


def latent(batch, *size):
    return torch.randn(batch, 32, *size, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(("batch", "size"), [(1, (4, 4)), (1, (3, 7)), (1, (1, 3)), (3, (2, 5))])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_prepared_decoder_equals_taming(batch, size, checkpointing):
    ours, theirs = pair()
    z = latent(batch, *size)
    mine = look(lambda z: ours.decode(z, checkpointing=checkpointing), z)
    for here, there in zip(mine, look(theirs.decode, z), strict=True):
        assert here.shape == there.shape
        torch.testing.assert_close(here, there, atol=1e-4 * float(there.abs().max()), rtol=1e-4)


def test_bf16_is_as_near_to_fp32_as_tamings():
    (ours, theirs), (exact, _) = pair(torch.bfloat16), pair()
    z = latent(1, 6, 5)
    truth = look(exact.decode, z)
    mine, before = look(ours.decode, z), look(lambda z: theirs.decode(z.bfloat16()).float(), z)
    for here, there, right in zip(mine, before, truth, strict=True):
        assert (here - right).norm() < 1.2 * (there - right).norm() < 0.1 * right.norm()


def test_every_known_module_is_fused():
    ours, _ = pair()
    plain = [each for each in ours.decoder.modules() if type(each) in fused_vqgan.FUSED]
    assert not plain
    doublings = [each for each in ours.decoder.modules() if isinstance(each, FusedUpsample)]
    assert len(doublings) == 2
    assert all(each.quarters.shape[2:] == (2, 2) for each in doublings)
    assert any(isinstance(each, FusedPointwise) for each in ours.decoder.modules())


def test_the_state_has_tamings_names():
    ours, theirs = pair()
    assert ours.state_dict().keys() == theirs.state_dict().keys()


@pytest.mark.parametrize("size", [(8, 8), (5, 9), (1, 3)])
def test_doubling_sees_each_pixel_once(size):
    torch.manual_seed(0)
    plain = frozen(Upsample(6, with_conv=True))
    changed = copy.deepcopy(plain)
    fuse(nn.Sequential(changed))
    changed.prepare()
    seen = []
    for each in (plain, changed):
        x = torch.randn(2, 6, *size, generator=torch.Generator().manual_seed(1)).requires_grad_()
        made = each(x)
        made.backward(torch.randn(made.shape, generator=torch.Generator().manual_seed(2)))
        seen.append((made.detach(), x.grad))
    for mine, theirs in zip(seen[1], seen[0], strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(100, 90), (4, 4), (1, 5), (3, 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_picture_is_made_in_float32(size, dtype):
    torch.manual_seed(0)
    conv = frozen(nn.Conv2d(16, 3, 3, padding=1)).to(dtype)
    active = torch.randn(2, 16, *size).to(dtype)
    leaves = [active.clone().requires_grad_(), active.double().requires_grad_()]
    exact = copy.deepcopy(conv).double()
    made = to_picture(leaves[0], conv)
    wanted = F.conv2d(leaves[1], exact.weight, exact.bias, padding=1)
    assert made.dtype == torch.float32
    torch.testing.assert_close(made.double(), wanted, atol=1e-5, rtol=1e-5)
    gradient = torch.randn(made.shape)
    made.backward(gradient)
    wanted.backward(gradient.double())
    tolerance = 1e-5 if dtype == torch.float32 else 8e-3  # the gradient has the precision of what it is for
    torch.testing.assert_close(
        leaves[0].grad.double(),
        leaves[1].grad,
        atol=tolerance * float(leaves[1].grad.abs().max()),
        rtol=tolerance,
    )


def test_training_reaches_every_weight():
    torch.manual_seed(0)
    model = build(WANTED).train()
    model.decode_in(torch.float32)
    model.decode(latent(1, 2, 2)).square().sum().backward()
    missing = [name for name, each in model.decoder.named_parameters() if each.grad is None]
    assert not missing
    # They would stay what they were at the first step.
    assert not [name for name, _ in model.named_buffers() if name.endswith("quarters")]
