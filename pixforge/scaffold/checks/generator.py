"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.generator as plugin
from pixforge.scaffold.kinds.generator import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("generator", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_cells_become_a_picture() -> None:
    generator = Placeholder(PlaceholderConfig(cells=4), make_context((64, 32)))
    assert generator.latents()["grid"].shape == (2, 3, 4, 8)
    with torch.no_grad():
        generator.latents()["grid"].fill_(-20)
        assert float(generator.forward(0).max()) < 1e-6


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
