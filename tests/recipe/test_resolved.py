"""The resolved recipe is itself a recipe, and says the same."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pixforge.recipe import load_recipe

RECIPES = {
    "defaults": {"prompts": ["a sunflower"]},
    "schedules": {
        "prompts": [{"text": "a", "weight": {0: 1, "50%": 0.25, "ease": "cosine"}, "stop": 0.2}, {"text": "b", "weight": -1e-7}],
        "losses": [{"type": "range", "weight": {"12.5%": 1, 10: 0}}],
        "optimizer": {"type": "sgd", "learning_rate": {"0": 0.1, "100%": 0}, "momentum": 0.9, "nesterov": True},
    },
    "everything named": {
        "prompts": ["a"], "seed": "007", "size": "64x32", "steps": 0, "canvases": 3, "device": "cuda:1",
        "generator": "pixels", "losses": [], "augmentations": [], "exporters": ["still"], "requires": ["pydantic>=2"],
    },
}  # fmt: skip


def resolve(text, folder):
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(path).resolved_yaml()


@pytest.mark.parametrize("case", RECIPES)
def test_resolving_twice_changes_nothing(case, tmp_path):
    text = load_recipe(RECIPES[case]).resolved_yaml()
    assert resolve(text, tmp_path) == text


@pytest.mark.parametrize("case", RECIPES)
def test_any_yaml_reader_understands_it(case):
    recipe = load_recipe(RECIPES[case])
    data = yaml.safe_load(recipe.resolved_yaml())
    assert load_recipe(data).resolved_yaml() == recipe.resolved_yaml()


WILDCARD = re.compile(r"__\w+__|\{.*\|.*\}", re.DOTALL)
"""Texts such as `__colors__` and `{a|b}` are drawn from; they do not stay what they are."""


@settings(deadline=None, max_examples=60)
@given(
    st.text(min_size=1).filter(lambda text: text.strip() and not WILDCARD.search(text))
    | st.sampled_from(["1e3", "yes", "null", "0x1F", ".5", "~", "a\x85b", "- a", "{"])
)
def test_any_text_survives(tmp_path_factory, text):
    recipe = load_recipe({"prompts": [{"text": text}], "seed": text})
    folder = tmp_path_factory.mktemp("any")
    (folder / "r.yaml").write_text(recipe.resolved_yaml(), encoding="utf-8", newline="")
    again = load_recipe(folder / "r.yaml")
    assert (again.prompts[0].text, again.seed) == (text, text)


@given(st.floats(min_value=1e-30, max_value=4), st.integers(-(2**63) + 1, 2**63 - 1))
@settings(deadline=None, max_examples=40)
def test_any_number_survives(tmp_path_factory, decay, seed):
    recipe = load_recipe({"prompts": ["a"], "generator": {"type": "fourier", "decay": decay}, "seed": seed})
    folder = tmp_path_factory.mktemp("any")
    (folder / "r.yaml").write_text(recipe.resolved_yaml())
    again = load_recipe(folder / "r.yaml")
    assert (again.generator.decay, again.seed) == (decay, seed)


def test_everything_that_was_left_out_is_there():
    text = load_recipe({"prompts": ["a sunflower"], "seed": 7}).resolved_yaml()
    assert "seed: 7\n" in text
    assert "- {text: a sunflower, weight: 1.0}\n" in text
    assert "type: vqgan" in text
    assert "quantization: straight_through" in text
    assert "learning_rate: " in text
    assert "null" not in text


@pytest.fixture
def with_files(tmp_path):
    """A recipe in a folder of its own that names three files."""
    home = tmp_path / "home"
    (home / "in").mkdir(parents=True)
    for name in ("sketch.png", "in/start.png"):
        (home / name).touch()
    (home / "mine.py").write_text(
        "import pixforge\n@pixforge.hookimpl\ndef pixforge_losses():\n    return []\n", encoding="utf-8"
    )
    (home / "r.yaml").write_text("prompts: [{image: sketch.png}]\ninit: in/start.png\nplugins: [./mine.py]\n")
    return load_recipe(home / "r.yaml")


def test_paths_move_with_the_recipe(with_files, tmp_path):
    run = tmp_path / "outputs" / "r-1"
    run.mkdir(parents=True)
    (run / "recipe.yaml").write_text(with_files.resolved_yaml(run))
    moved = load_recipe(run / "recipe.yaml")
    assert moved.prompts[0].image == "../../home/sketch.png"
    assert moved.init.image == "../../home/in/start.png"
    assert moved.plugins == ["../../home/mine.py"]
    assert moved.resolved_yaml(run) == with_files.resolved_yaml(run)


def test_paths_are_absolute_when_the_folder_is_unknown(with_files, tmp_path):
    moved = load_recipe(yaml.safe_load(with_files.resolved_yaml()))
    assert Path(moved.init.image).is_absolute()
    assert Path(moved.init.image).samefile(tmp_path / "home" / "in" / "start.png")


def test_names_that_could_be_paths_stay_when_there_is_no_such_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = {
        "prompts": ["a"],
        "perceptors": [{"type": "open_clip", "model": "ViT-B-32", "pretrained": "openai"}],
    }
    assert "pretrained: openai" in load_recipe(source).resolved_yaml()


def test_paths_move_whatever_the_case_of_their_ending(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    for name in ("mine.json", "mine.JSON", "Head.PTH"):
        (home / name).write_text("[1, 2]")
    (home / "r.yaml").write_text(
        "prompts: [{direction: mine.json}, {direction: mine.JSON}]\nlosses: [{type: aesthetic, head: Head.PTH}]\n"
    )
    moved = yaml.safe_load(load_recipe(home / "r.yaml").resolved_yaml(tmp_path))
    assert [each["direction"] for each in moved["prompts"]] == ["home/mine.json", "home/mine.JSON"]
    assert moved["losses"][0]["head"] == "home/Head.PTH"
