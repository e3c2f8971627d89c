"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.edit as plugin
from pixforge.scaffold.kinds.edit import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("edit", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_the_picture_moves_to_the_right() -> None:
    images = torch.rand(1, 3, 4, 6)
    moved = Placeholder(PlaceholderConfig(pixels=2), make_context()).forward(images, 1)
    assert torch.equal(moved[..., 2:], images[..., :-2])
    assert torch.equal(moved[..., :2], images[..., -2:])


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
