"""A recipe that is in no file: what an editor checks on every key."""

import pytest

import pixforge
from pixforge.errors import PixforgeError, PluginError, Problem, RecipeError


def test_a_text_is_a_recipe(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    text = pixforge.RecipeText("prompts: [a fox, {image: a.png}]\nsteps: 7", tmp_path, name="mine")
    recipe = pixforge.load_recipe(text)
    assert (recipe.steps, recipe.origin.name, recipe.origin.folder) == (7, "mine", tmp_path)


def test_json_is_text_too():
    assert pixforge.load_recipe(pixforge.RecipeText('{"prompts": ["a fox"],\n\t"steps": 3}')).steps == 3


def test_each_problem_has_its_line():
    text = "prompts: [a fox]\nsteps: many\nlosses:\n- {type: symetry}\n"
    with pytest.raises(RecipeError) as caught:
        pixforge.load_recipe(pixforge.RecipeText(text))
    (first, about_steps), (second, about_losses) = caught.value.problems
    assert (first, second) == (2, 4)
    assert about_steps.startswith("steps: ")
    assert "Did you mean 'symmetry'" in about_losses


@pytest.mark.parametrize(
    ("text", "line"), [("prompts: [a\nsteps: 3", 2), ("- a", None), ("", None), ("a: \ud800", 1)]
)
def test_what_is_no_recipe_is_one_problem(text, line):
    with pytest.raises(RecipeError) as caught:
        pixforge.load_recipe(pixforge.RecipeText(text))
    assert [each.line for each in caught.value.problems] == [line]


def test_a_text_of_a_stranger_runs_no_file(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "evil.py").write_text("raise SystemExit")
    (tmp_path / "evil.py").write_text("raise SystemExit")
    pixforge.load_recipe(pixforge.RecipeText("prompts: [a fox]", tmp_path), trust="none")
    with pytest.raises(PluginError) as caught:
        pixforge.load_recipe(
            pixforge.RecipeText("prompts: [a fox]\nplugins: [./evil.py]", tmp_path), trust="none"
        )
    assert caught.value.problems[0].line == 2


def test_a_huge_text_is_refused():
    with pytest.raises(RecipeError, match="larger than 1 MiB"):
        pixforge.load_recipe(pixforge.RecipeText("#" * (2**20 + 1)))


def test_a_message_without_a_line():
    assert PixforgeError("nothing there").problems == [Problem(None, "nothing there")]
    assert PixforgeError("a.yaml:3: x\nb: y: 4").problems == [Problem(3, "x"), Problem(None, "b: y: 4")]
