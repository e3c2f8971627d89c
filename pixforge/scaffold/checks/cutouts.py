"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.cutouts as plugin
from pixforge.scaffold.kinds.cutouts import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("cutouts", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_they_lie_inside_the_picture_and_are_square() -> None:
    context = make_context(size=(64, 32))
    cutouts = Placeholder(PlaceholderConfig(number=5, share=0.5), context)
    boxes = cutouts.boxes(context.draws.at("check"), (64, 32), 0)
    corners = boxes @ torch.tensor([[-1.0, 1.0], [-1.0, 1.0], [1.0, 1.0]])
    assert float(corners[..., :2, :].abs().max()) <= 1 + 1e-6
    sides = (corners[..., :2, 1] - corners[..., :2, 0]) * torch.tensor([32.0, 16.0])
    torch.testing.assert_close(sides, torch.full_like(sides, 16.0))


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
