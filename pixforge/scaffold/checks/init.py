"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.init as plugin
from pixforge.scaffold.kinds.init import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("init", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_without_contrast_it_starts_gray() -> None:
    class Canvas:
        def encode(self, image: torch.Tensor) -> None:
            self.image = image

    canvas, context = Canvas(), make_context(size=(16, 8), canvases=2)
    Placeholder(PlaceholderConfig(contrast=0), context).start(canvas)  # type: ignore[arg-type]
    torch.testing.assert_close(canvas.image, torch.full((2, 3, 8, 16), 0.5))
    Placeholder(PlaceholderConfig(contrast=1), context).start(canvas)  # type: ignore[arg-type]
    assert float(canvas.image.std()) > 0.05


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
