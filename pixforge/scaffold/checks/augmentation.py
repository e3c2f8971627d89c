"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.augmentation as plugin
from pixforge.scaffold.kinds.augmentation import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("augmentation", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_brightness_stays_within_the_amount() -> None:
    context = make_context(canvases=1)
    matrices = Placeholder(PlaceholderConfig(amount=0.5), context).color(context.draws.at("test"), 200, 0)
    factors = matrices[0, :, 0, 0]
    assert 0.5 <= float(factors.min()) < 0.6
    assert 1.4 < float(factors.max()) <= 1.5
    still = Placeholder(PlaceholderConfig(amount=0), context).color(context.draws.at("test"), 1, 0)
    torch.testing.assert_close(still[0, 0], torch.eye(3, 4))


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
