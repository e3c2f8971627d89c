"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.optimizer as plugin
from pixforge.scaffold.kinds.optimizer import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("optimizer", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_every_number_moves_by_the_learning_rate() -> None:
    latent = torch.zeros(3, requires_grad=True)
    optimizer = Placeholder(PlaceholderConfig(), make_context()).make([{"params": [latent]}], 0.1)
    latent.grad = torch.tensor([5.0, -0.01, 0.0])
    optimizer.step()
    torch.testing.assert_close(latent.detach(), torch.tensor([-0.1, 0.1, 0.0]))


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
