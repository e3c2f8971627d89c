"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.filter as plugin
from pixforge.scaffold.kinds.filter import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("filter", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_the_corners_fade_and_the_middle_stays() -> None:
    context = make_context((31, 31), canvases=1)
    white = torch.ones(1, 3, 31, 31)
    dark = Placeholder(PlaceholderConfig(strength=1), context).forward(white, context.draws.at("test"), 0)
    assert float(dark[0, 0, 15, 15]) == 1
    assert float(dark[0, 0, 0, 0]) == 0


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
