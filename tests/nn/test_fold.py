"""Folding batch normalizations into convolutions keeps the embedding and the gradient."""

import pytest
import timm
import torch
from open_clip.modified_resnet import ModifiedResNet
from torch import nn

from pixforge.builtin.perceptors.open_clip import OpenClip, OpenClipConfig
from pixforge.nn.fold import fold_batch_norms
from pixforge.testing import make_context


def tower() -> nn.Module:
    return shaken(ModifiedResNet([1, 2, 1, 1], output_dim=16, heads=2, image_size=32, width=8))


def shaken(network: nn.Module) -> nn.Module:
    """A network with random, not trivial, normalizations."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for each in (module.running_mean, module.weight, module.bias):
                nn.init.normal_(each, 0.3, 0.2)
            nn.init.uniform_(module.running_var, 0.3, 2)
    return network.eval().requires_grad_(requires_grad=False)


def look(network, images):
    leaf = images.clone().requires_grad_()
    seen = network(leaf)
    (seen * torch.linspace(-1, 1, seen.shape[1], dtype=seen.dtype)).sum().backward()
    return seen.detach(), leaf.grad


def timm_tower(name: str) -> nn.Module:
    return shaken(timm.create_model(name, num_classes=16))


@pytest.mark.parametrize(
    ("make", "folded"),
    [
        (tower, 3 + 5 * 3 + 4),
        (lambda: timm_tower("resnet18"), 20),  # a stem, 8 blocks of two, 3 shortcuts
        (lambda: timm_tower("efficientnet_lite0"), 0),  # its normalizations have activations in them
        (lambda: timm_tower("resnet26d"), 31),  # a stem of three, 8 blocks of three, 4 shortcuts
    ],
)
def test_the_same_result_and_gradient(make, folded):
    # In double precision: with less, rounding decides which side of 0 some activations are on.
    network, images = make().double(), torch.rand(3, 3, 32, 32, dtype=torch.float64)
    before = look(network, images)
    assert fold_batch_norms(network) == folded
    assert folded == 0 or not any(isinstance(each, nn.BatchNorm2d) for each in network.modules())
    for mine, theirs in zip(look(network, images), before, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-4 * float(theirs.abs().max()), rtol=1e-3)


def test_a_network_in_training_stays_as_it_is():
    assert fold_batch_norms(tower().train()) == 0


def test_the_embedded_perceptor_has_none_left():
    perceptor = OpenClip(OpenClipConfig(), make_context())
    assert not any(isinstance(each, nn.BatchNorm2d) for each in perceptor._model.visual.modules())
