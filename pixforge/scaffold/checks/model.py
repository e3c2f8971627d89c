"""What a user of placeholder would notice."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import pixforge
import pixforge.scaffold.kinds.model as plugin
from pixforge.scaffold.kinds.model import MODEL, Placeholder
from pixforge.testing import check_component, check_model, make_context, make_registry

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIXFORGE_MODELS", str(tmp_path))
    folder = MODEL.folder(tmp_path)
    folder.mkdir(parents=True)
    save_file({"weight": torch.ones(1, 3, 3, 3)}, folder / MODEL.files[0].name)
    return folder


def test_the_declaration_is_complete(weights: Path) -> None:
    check_model(MODEL, weights)


@pytest.mark.usefixtures("weights")
def test_it_keeps_the_contract() -> None:
    check_component(Placeholder, make_context(models=[MODEL]))


def test_the_catalog_knows_it() -> None:
    assert make_registry(plugin).catalog.get("placeholder", "loss") is MODEL


def test_without_the_weights_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXFORGE_MODELS", str(tmp_path))
    with pytest.raises(pixforge.PixforgeError, match="pixforge models fetch placeholder"):
        make_context(models=[MODEL]).model_files("placeholder")


@pytest.mark.usefixtures("weights")
def test_the_example_renders(tmp_path: Path) -> None:
    recipe = pixforge.load_recipe(EXAMPLE, overrides={"steps": 2, "size": 48, "init": "noise"})
    assert pixforge.render(recipe, tmp_path / "run").images[0].size == (48, 48)
