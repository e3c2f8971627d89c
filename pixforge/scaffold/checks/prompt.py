"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.prompt as plugin
from pixforge.scaffold.kinds.prompt import Placeholder, PlaceholderConfig
from pixforge.testing import FakeSight, check_component, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("prompt", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"placeholder": "red", "misspelt": 1})


def test_it_is_nearer_to_the_text_and_farther_from_the_other() -> None:
    context = make_context()
    sight = FakeSight(context)
    config = PlaceholderConfig(placeholder="red", without="blue", strength=0.5)
    red, blue = sight.texts(["red", "blue"])
    target = Placeholder(config, context).targets(sight)
    assert target @ red > target @ blue
    assert target @ blue < red @ blue
    torch.testing.assert_close(target.norm(), torch.tensor(1.0))


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
