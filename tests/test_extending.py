"""Plugins beside a recipe, and plugins that are older or newer than this pixforge."""

import sys
import warnings
from typing import ClassVar, Literal

import pytest
from plugin_helpers import LOSS, install
from pydantic import ValidationError

import pixforge
from pixforge import load_recipe
from pixforge.errors import ChangeWarning, PluginError, RecipeError
from pixforge.plugins import hookspecs
from pixforge.plugins.loader import load_plugins


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "dark.py").write_text(LOSS.format(tag="dark"))
    (tmp_path / "recipe.yaml").write_text("prompts: [red]\nlosses: [dark]\nsteps: 1\nsize: 32\ninit: noise\n")
    return tmp_path / "recipe.yaml"


def test_a_plugin_beside_the_recipe_needs_no_mention(recipe, tmp_path):
    result = pixforge.render(load_recipe(recipe), tmp_path / "elsewhere" / "out")
    assert "dark" in result.metrics or "dark" in (result.folder / "metrics.csv").read_text()
    again = load_recipe(result.folder / "recipe.yaml")
    assert again.plugins == ["../../plugins/dark.py"]
    assert load_recipe(result.folder / "image.png", trust="all").losses[0].type == "dark"


def test_those_that_take_no_part_are_not_recorded(recipe):
    (recipe.parent / "plugins" / "other.py").write_text(LOSS.format(tag="other"))
    (recipe.parent / "plugins" / "tool.py").write_text("raise SystemExit('not a plugin')")
    assert load_recipe(recipe).plugins == ["plugins/dark.py"]
    assert load_recipe(recipe, {"losses": []}).plugins == []
    assert load_recipe(recipe, {"plugins": ["plugins/dark.py"]}).plugins == ["plugins/dark.py"]


def test_a_broken_one_matters_only_to_who_needs_it(recipe):
    (recipe.parent / "plugins" / "broken.py").write_text("import pixforge.hookimpl.nothing")
    assert load_recipe(recipe).losses[0].type == "dark"
    with pytest.raises(
        RecipeError, match=r"unknown loss 'brok'.*a plugin that might have it is broken: plugin 'broken'"
    ):
        load_recipe(recipe, {"losses": ["brok"]})


def test_it_can_be_left_out(recipe):
    with pytest.raises(RecipeError, match="unknown loss 'dark'"):
        load_recipe(recipe, disabled=["dark"])


def test_a_picture_brings_no_plugins_from_where_it_lies(recipe, tmp_path):
    result = pixforge.render(load_recipe(recipe, {"losses": []}), tmp_path / "out")
    (result.folder / "plugins").mkdir()
    (result.folder / "plugins" / "evil.py").write_text("# hookimpl\nraise SystemExit('it was run')")
    assert load_recipe(result.folder / "image.png").plugins == []


@pytest.mark.parametrize("needs", [">=99", "==0.0.1", ">=0.1,<0.1"])
def test_a_file_that_needs_another_pixforge_says_so_before_it_runs(needs, recipe):
    file = recipe.parent / "plugins" / "dark.py"
    file.write_text(f'requires_pixforge = "{needs}"\nfrom pixforge import not_there_yet\n')
    with pytest.raises(PluginError) as caught:
        load_recipe(recipe, {"plugins": ["plugins/dark.py"]})
    text = str(caught.value)
    assert "failed in load: it needs pixforge" in text
    assert f"and this is {pixforge.__version__}: pip install" in text


def test_a_file_that_this_pixforge_suits(recipe):
    file = recipe.parent / "plugins" / "dark.py"
    file.write_text('requires_pixforge = ">=0.1"\n' + file.read_text())
    assert load_recipe(recipe).losses[0].type == "dark"


def test_a_need_that_cannot_be_read(recipe):
    (recipe.parent / "plugins" / "dark.py").write_text("requires_pixforge = 3\n")
    with pytest.raises(PluginError, match="requires_pixforge on line 1 must be a text such as"):
        load_recipe(recipe, {"plugins": ["plugins/dark.py"]})


@pytest.mark.parametrize(
    ("requirement", "fits"),
    [
        ("pixforge>=99", False),
        ("Pixforge >=0.1", True),
        ("pixforge>=99; extra == 'dev'", True),
        ("numpy", True),
    ],
)
def test_a_distribution_that_needs_another_pixforge_says_so(requirement, fits, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    install(tmp_path, "dark", LOSS.format(tag="dark"))
    metadata = tmp_path / "pixforge_test-0.3.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text() + f"Requires-Dist: {requirement}\n")
    failures = load_plugins().failures
    sys.modules.pop("dark_module", None)
    expected = (
        "plugin 'dark' (pixforge-test 0.3) failed in load: it needs pixforge>=99, "
        f'and this is {pixforge.__version__}: pip install "pixforge>=99"'
    )
    assert [str(failure) for failure in failures] == ([] if fits else [expected])


class MovedConfig(pixforge.Config):
    renamed: ClassVar = {"speed": "pace"}
    type: Literal["moved"] = "moved"
    pace: float = 1.0


def test_a_renamed_field_works_and_warns():
    with pytest.warns(ChangeWarning, match="moved: 'speed' is now called 'pace'"):
        assert MovedConfig.model_validate({"speed": 3}).pace == 3
    assert MovedConfig(pace=2).model_dump() == {"type": "moved", "pace": 2}
    with pytest.raises(ValidationError, match="has both pace and speed, its former name"):
        MovedConfig.model_validate({"speed": 3, "pace": 2})


def test_the_command_line_warns_in_one_line(recipe, capsys):
    from pixforge.cli.main import main

    file = recipe.parent / "plugins" / "dark.py"
    text = file.read_text().replace("    type:", '    renamed = {"mass": "weight"}\n    type:', 1)
    file.write_text(
        text.replace("renamed =", "renamed: ClassVar =").replace("import Literal", "import ClassVar, Literal")
    )
    recipe.write_text(recipe.read_text().replace("[dark]", "[{type: dark, mass: 2}]"))
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(["check", str(recipe)]) == 0
    assert "pixforge: dark: 'mass' is now called 'weight'\n" in capsys.readouterr().err


def test_a_hook_on_its_way_out_warns_and_works(recipe, monkeypatch):
    warning = ChangeWarning("pixforge_losses is now called pixforge_terms")
    old = hookspecs.hookspec(warn_on_impl=warning)(lambda: None)
    old.__name__ = "pixforge_losses"
    monkeypatch.setattr(hookspecs, "pixforge_losses", old)
    with pytest.warns(ChangeWarning, match="is now called pixforge_terms"):
        plugins = load_plugins(files=[recipe.parent / "plugins" / "dark.py"], installed=False)
    assert "dark" in plugins.infos
