"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import pixforge
import pixforge.scaffold.kinds.exporter as plugin
from pixforge.contracts import Output
from pixforge.scaffold.kinds.exporter import Placeholder, PlaceholderConfig
from pixforge.testing import check_component, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_recipes_know_its_word() -> None:
    entry = make_registry(plugin).get("exporter", "placeholder")
    assert entry is not None
    assert entry.component is Placeholder


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="misspelt"):
        PlaceholderConfig.model_validate({"misspelt": 1})


def test_a_line_for_each_step(tmp_path: Path) -> None:
    output = Output(tmp_path, "prompts: [red]", (8, 4), 1, 1)
    with Placeholder(PlaceholderConfig(), output) as exporter:
        for step in range(2):
            exporter.write(pixforge.StepReport(step, 1, torch.full((1, 3, 4, 8), float(step)), 0.1))
    lines = (tmp_path / "placeholder.csv").read_text().splitlines()
    assert lines[1:] == ["0,0,0.0000,0.0000,0.0000", "1,0,1.0000,1.0000,1.0000"]


def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
