"""Batch normalizations folded into convolutions: fewer passes, the same embedding and gradient."""

import torch
from open_clip.modified_resnet import ModifiedResNet
from torch import nn

from pixforge.builtin.perceptors.fold import fold_batch_norms
from pixforge.builtin.perceptors.open_clip import OpenClip, OpenClipConfig
from pixforge.testing import make_scene


def tower() -> ModifiedResNet:
    torch.manual_seed(0)
    network = ModifiedResNet([1, 2, 1, 1], output_dim=16, heads=2, image_size=32, width=8)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for each in (module.running_mean, module.weight, module.bias):
                nn.init.normal_(each, 0.5, 0.3)
            nn.init.uniform_(module.running_var, 0.3, 2)
    return network.eval().requires_grad_(False)


def look(network, images):
    leaf = images.clone().requires_grad_()
    seen = network(leaf)
    (seen * torch.linspace(-1, 1, seen.shape[1])).sum().backward()
    return seen.detach(), leaf.grad


def test_the_same_result_and_gradient():
    network, images = tower(), torch.rand(3, 3, 32, 32)
    before = look(network, images)
    assert fold_batch_norms(network) == 3 + 5 * 3 + 4
    assert not any(isinstance(each, nn.BatchNorm2d) for each in network.modules())
    for mine, theirs in zip(look(network, images), before, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-4 * float(theirs.abs().max()), rtol=1e-3)


def test_a_network_in_training_stays_as_it_is():
    assert fold_batch_norms(tower().train()) == 0


def test_the_embedded_perceptor_has_none_left():
    perceptor = OpenClip(OpenClipConfig(), make_scene())
    assert not any(isinstance(each, nn.BatchNorm2d) for each in perceptor._model.visual.modules())
