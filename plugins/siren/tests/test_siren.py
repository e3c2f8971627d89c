"""SIREN and the deep image prior keep the contract and learn a picture."""

import shutil
from dataclasses import replace

import pytest
import torch
from pixforge_siren.prior import DeepImagePrior, PriorConfig
from pixforge_siren.siren import Siren, SirenConfig

from pixforge.testing import check_component, make_context


@pytest.mark.parametrize("fields", [{}, {"width": 8, "layers": 1}])
def test_siren_keeps_the_contract(fields):
    check_component(Siren, **fields)


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
def test_siren_compiled_is_the_same():
    pictures, gradients = [], []
    for wish in (False, True):
        made = Siren(SirenConfig(width=16), replace(make_context((24, 16)), compile=wish))
        image = made.forward(0)
        (image.square() * torch.linspace(0, 1, 24)).sum().backward()
        pictures.append(image.detach())
        gradients.append(made.latents()["weight1"].grad)
    torch.testing.assert_close(*pictures)
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-3 * float(gradients[0].abs().max()))


@pytest.mark.parametrize("fields", [{}, {"skip": 0, "depth": 8, "channels": 4}])
def test_the_prior_keeps_the_contract(fields):
    check_component(DeepImagePrior, **fields)


def test_siren_has_no_pixels():
    """Three times the size shows the same picture."""
    small, large = (Siren(SirenConfig(), make_context(size, 1)).forward(0) for size in ((24, 16), (72, 48)))
    torch.testing.assert_close(large[..., 1::3, 1::3], small)


def test_a_higher_frequency_draws_finer():
    def roughness(frequency):
        image = Siren(SirenConfig(frequency=frequency), make_context((32, 32), 1)).forward(0).detach()
        return float(image.diff(dim=-1).std() / image.std())

    assert roughness(40) > 2 * roughness(5)


@pytest.mark.parametrize(
    ("component", "config", "rate"),
    [(Siren, SirenConfig(width=32), 0.003), (DeepImagePrior, PriorConfig(channels=8, depth=3), 0.01)],
)
def test_it_learns_a_picture(component, config, rate):
    target = torch.full((1, 3, 32, 32), 0.2)
    target[:, 0, 8:24, 8:24] = 0.9
    generator = component(config, make_context((32, 32), 1))
    optimizer = torch.optim.Adam(list(generator.latents().values()), lr=rate)
    for _ in range(200):
        error = (generator.forward(0) - target).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    assert error.item() < 0.005


def test_the_prior_prefers_shapes_to_noise():
    """After equally many steps, it is closer to a smooth picture than to noise of the same spread."""
    errors = {}
    y, x = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing="ij")
    smooth = (torch.stack([x, y, x * y]) / x.std() * 0.15 + 0.5)[None].clamp(0, 1)
    noise = (torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.15 + 0.5).clamp(0, 1)
    for name, target in (("smooth", smooth), ("noise", noise)):
        generator = DeepImagePrior(PriorConfig(channels=8, depth=3, skip=2), make_context((32, 32), 1))
        optimizer = torch.optim.Adam(list(generator.latents().values()), lr=0.01)
        for _ in range(60):
            error = (generator.forward(0) - target).square().mean()
            optimizer.zero_grad()
            error.backward()
            optimizer.step()
        errors[name] = error.item()
    assert errors["smooth"] < errors["noise"] / 3


def test_networks_as_deep_as_those_of_deep_daze_show_something_and_learn():
    """44 layers, as many as `deeper` models have: neither flat at first nor stuck."""
    generator = Siren(SirenConfig(layers=44, width=16), make_context((12, 12), 1))
    first = generator.forward(0).detach()
    assert first.std() > 0.05
    optimizer = torch.optim.Adam(generator.parameter_groups()[0]["params"], lr=0.001)
    for step in range(30):
        optimizer.zero_grad()
        loss = (generator.forward(step) - 0.8).square().mean()
        loss.backward()
        optimizer.step()
    assert (generator.forward(30) - 0.8).square().mean() < 0.1 * (first - 0.8).square().mean()
