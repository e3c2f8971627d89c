import inspect

import pytest
import torch

from pixforge.contracts.moment import Moment
from pixforge.errors import RecipeError
from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Registry
from pixforge.recipe import load_recipe
from pixforge.testing import make_context

ENTRIES = {
    entry.tag: entry.component for entry in Registry(load_plugins(installed=False)).entries("optimizer")
}


def load(optimizer):
    return load_recipe({"prompts": ["a"], "optimizer": optimizer}).optimizer


OF_TORCH = sorted(tag for tag, component in ENTRIES.items() if hasattr(component, "torch_name"))


@pytest.mark.parametrize("tag", OF_TORCH)
def test_defaults_are_torchs_own(tag):
    config = load(tag)
    factory = getattr(torch.optim, ENTRIES[tag].torch_name)
    defaults = {name: value.default for name, value in inspect.signature(factory).parameters.items()}
    assert {name: defaults[name] for name in config.arguments()} == config.arguments()


@pytest.mark.parametrize("tag", sorted(ENTRIES))
def test_every_optimizer_descends(tag):
    config = load({"type": tag, "learning_rate": 0.1})
    point = torch.tensor([1.0], requires_grad=True)
    optimizer = ENTRIES[tag](config, make_context(canvases=1)).make(
        [{"params": [point]}], config.learning_rate.value(Moment(0, 10))
    )
    for _ in range(10):
        optimizer.zero_grad()
        (point**2).sum().backward()
        optimizer.step()
    assert point.item() ** 2 < 1


def test_fields_reach_torch():
    arguments = load({"type": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}).arguments()
    assert arguments == {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "dampening": 0.0}


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ({"type": "sgd", "nesterov": True}, "optimizer: nesterov needs momentum above 0 and dampening 0"),
        ({"type": "adam", "betas": [0.9, 1]}, "optimizer.betas[1]: must be less than 1, not 1"),
        ({"type": "adam", "betas": 0.9}, "optimizer.betas: must be a list, not 0.9"),
        ({"type": "adam", "eps": 0}, "optimizer.eps: must be greater than 0, not 0"),
        ({"type": "adam", "learning_rate": -1}, "optimizer.learning_rate: -1 must be at least 0"),
        (
            {"type": "sgd", "betas": [0, 0]},
            "optimizer.betas: optimizer 'sgd' of plugin 'optimizers' (pixforge.builtin.optimizers) has no field 'betas' (fields: ",
        ),
    ],
)
def test_what_torch_would_refuse_is_refused_before(optimizer, message):
    with pytest.raises(RecipeError) as caught:
        load(optimizer)
    assert str(caught.value).startswith(f"recipe: {message}")
