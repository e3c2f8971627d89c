"""Wildcards are drawn by the seed, and the resolved recipe says what was drawn."""

from collections import Counter

import pytest

from pixforge.errors import RecipeError
from pixforge.recipe import load_recipe


def texts(*prompts, **options):
    return [each.text for each in load_recipe({"prompts": list(prompts), **options}).prompts]


def test_each_alternative_is_drawn_about_as_often():
    found = Counter(texts("a {red|green| blue } heart", seed=seed)[0] for seed in range(60))
    assert set(found) == {"a red heart", "a green heart", "a blue heart"}
    assert min(found.values()) > 8


def test_the_same_seed_draws_the_same_and_the_resolved_recipe_keeps_it():
    recipe = load_recipe({"prompts": ["a __colors__ {__animals__|heart}:2 | {a|b}", {"text": "{x|y}"}]})
    said = [each.text for each in recipe.prompts]
    assert said == texts("a __colors__ {__animals__|heart}:2 | {a|b}", {"text": "{x|y}"}, seed=recipe.seed)
    assert not any(sign in text for text in said for sign in "{}|_")
    assert f"text: {said[0]}" in recipe.resolved_yaml()


def test_every_text_of_which_a_picture_is_made_may_have_wildcards():
    fields = {"init": {"type": "tokens", "text": "{a} {|}tree"}, "seed": 1}
    recipe = load_recipe({"prompts": [{"labels": "{cat|cat}"}, {"travel": ["{sun|sun}", "sea"]}], **fields})
    assert (recipe.prompts[0].labels, recipe.prompts[1].travel) == ("cat", ["sun", "sea"])
    assert recipe.init.text == "{a} tree"


def test_two_wildcards_are_drawn_apart():
    found = {tuple(texts("{a|b}", "{a|b}", seed=seed)) for seed in range(20)}
    assert len(found) == 4


def test_overrides_decide_the_seed_and_the_prompts():
    draws = {
        load_recipe({"prompts": "x"}, {"prompts": "{a|b|c|d}", "seed": seed}).prompts[0].text
        for seed in "abcdefgh"
    }
    assert len(draws) > 1


def test_a_list_beside_the_recipe_comes_before_pixforges_own(write, tmp_path):
    (tmp_path / "wildcards").mkdir()
    (tmp_path / "wildcards" / "colors.txt").write_text("# mine\nmauve\n")
    (tmp_path / "wildcards" / "my_style.txt").write_text("in {chalk}\n")
    assert (
        load_recipe(write("prompts: [a __colors__ cat __my_style__]\n")).prompts[0].text
        == "a mauve cat in {chalk}"
    )
    with pytest.raises(RecipeError, match="there is no list for __my_style__"):
        load_recipe(write("prompts: [a cat __my_style__]\n"), trust="none")


@pytest.mark.parametrize("how", ["extends", "include"])
def test_lists_beside_what_a_recipe_is_made_of(how, write, tmp_path):
    for folder, color in ((tmp_path / "lib", "mauve"), (tmp_path / "lib" / "deep", "teal")):
        (folder / "wildcards").mkdir(parents=True)
        (folder / "wildcards" / "colors.txt").write_text(f"{color}\n")
    (tmp_path / "lib" / "deep" / "wildcards" / "beasts.txt").write_text("newt\n")
    write("steps: 3\n", "lib/deep/base.yaml")
    write("extends: deep/base.yaml\nprompts: [a __colors__ __beasts__]\n", "lib/w.yaml")
    assert load_recipe(tmp_path / "lib" / "w.yaml").prompts[0].text == "a mauve newt"
    path = write(f"{how}: lib/w.yaml\n")
    assert load_recipe(path).prompts[0].text == "a mauve newt"
    (tmp_path / "wildcards").mkdir()
    (tmp_path / "wildcards" / "colors.txt").write_text("red\n")
    assert load_recipe(path).prompts[0].text == "a red newt"


def test_an_unknown_list_is_located(complaint):
    found = complaint("prompts:\n  - a sun\n  - a __colrs__ cat\n")
    assert found.startswith(
        "recipe.yaml:3: prompts[1]: there is no list for __colrs__: it is the file wildcards/colrs.txt"
    )
    assert "Did you mean 'colors'? (known: animals, colors" in found


def test_what_is_no_wildcard_stays_as_it_is():
    plain = ["a {red} heart", "snake__case__", "____"]
    assert texts(*plain) == plain


@pytest.mark.parametrize("line", ["__loop__", "__loop__ __loop__", "{a|b" * 200 + "}" * 200])
def test_lists_without_end_are_refused(line, complaint, tmp_path):
    (tmp_path / "wildcards").mkdir()
    (tmp_path / "wildcards" / "loop.txt").write_text(line + "\n")
    assert "more than 100 wildcards in one prompt" in complaint("prompts: [a __loop__]\n")
