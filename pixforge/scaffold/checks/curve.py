"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.curve as plugin
from pixforge.scaffold.kinds.curve import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("curve", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"placeholder": 3, "misspelt": 1})


def test_it_climbs_from_low_to_high() -> None:
    curve = Placeholder(PlaceholderConfig(placeholder=3, low=1, high=2), Path())
    values = [curve.at(pixforge.Moment(step, 7)) for step in range(7)]
    assert values == [1, 1, 1.5, 1.5, 2, 2, 2]


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
