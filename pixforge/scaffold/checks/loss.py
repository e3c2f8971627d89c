"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.loss as plugin
from pixforge.scaffold.kinds.loss import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("loss", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_what_is_bright_costs() -> None:
    context = make_context(canvases=2)
    image = torch.stack([torch.full((3, 8, 8), 0.5), torch.full((3, 8, 8), 0.9)])
    loss = Placeholder(PlaceholderConfig(), context)
    values = loss.forward(pixforge.View(image, None, context, 0))  # type: ignore[arg-type]
    torch.testing.assert_close(values, torch.tensor([0.0, 0.16]))


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
