"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.perceptor as plugin
from pixforge.scaffold.kinds.perceptor import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("perceptor", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_it_tells_red_from_blue() -> None:
    perceptor = Placeholder(PlaceholderConfig(), make_context())
    red = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None].expand(1, 3, 16, 16)
    close, far = (perceptor.encode_text(["a red fox", "a blue bird"]) @ perceptor.encode_image(red).T)[:, 0]
    assert close > 0.99
    assert far < 0


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
