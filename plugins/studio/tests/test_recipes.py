"""The form is a view of the text: what is changed in it changes the text, and leaves comments alone."""

import pytest
import yaml
from pixforge_studio.recipes import edited, form, name_of, problems

TEXT = """\
# my heart
prompts:
- a red heart  # the first
- {text: fire, weight: -0.5}
- image: heart.png
  weight: 2
size: [64, 32]   # wide

# how long
steps: 20
losses:
- {type: smoothness}
"""


def test_the_form_shows_what_the_text_says():
    found = form(TEXT)
    assert found["prompts"] == [
        {"text": "a red heart", "weight": 1},
        {"text": "fire", "weight": -0.5},
        {"kept": "image: heart.png\n  weight: 2"},
    ]
    assert (found["size"], found["steps"], found["seed"]) == (["64", "32"], "20", None)


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("prompts: a fox", [{"text": "a fox", "weight": 1}]),
        ("prompts: [a fox, b]", [{"text": "a fox", "weight": 1}, {"text": "b", "weight": 1}]),
        ('{"prompts": ["a"]}', [{"text": "a", "weight": 1}]),
        ("prompts: [{text: a, weight: {0%: 0, 100%: 2}}]", [{"kept": "{text: a, weight: {0%: 0, 100%: 2}}"}]),
        ("steps: 3", None),
    ],
)
def test_prompts_of_every_form(text, prompts):
    assert form(text)["prompts"] == prompts


@pytest.mark.parametrize(
    "text", ["", "- a", "a", "a: [", "x" * 300_000, "? [a]\n: b", "a: &a [*a]", "[" * 5000]
)
def test_what_is_no_recipe_has_no_form(text):
    assert form(text) is None or text.startswith("a: &a")


def test_a_change_leaves_the_rest_as_it_is():
    new = edited(TEXT, {"steps": 50, "size": [128, 128]})
    assert new == TEXT.replace("steps: 20", "steps: 50").replace("[64, 32]", "[128, 128]")


def test_prompts_are_changed_and_those_that_the_form_cannot_show_are_kept():
    shown = form(TEXT)["prompts"]
    new = edited(TEXT, {"prompts": [{"text": "a: b", "weight": 1}, *shown[1:]]})
    found = yaml.safe_load(new)
    assert found["prompts"] == [
        "a: b",
        {"text": "fire", "weight": -0.5},
        {"image": "heart.png", "weight": 2},
    ]
    assert "# my heart" in new
    assert "# how long" in new
    assert form(new)["prompts"][0] == {"text": "a: b", "weight": 1}


def test_a_field_is_added_and_taken_away_again():
    new = edited("# x\nprompts: [a]", {"seed": 7, "extends": "draft"})
    assert new == "# x\nprompts: [a]\nseed: 7\nextends: draft\n"
    assert edited(new, {"seed": None, "extends": None}) == "# x\nprompts: [a]\n"
    assert edited(new, {"prompts": [{"text": "", "weight": 1}]}).startswith("# x\nprompts:\n- ''\n")


@pytest.mark.parametrize(
    ("text", "changes", "new"),
    [
        ("init:\n  type: image\n  image: >-\n    x.png\n# how long\nsteps: 5\n", {"init": None}, "# how long\nsteps: 5\n"),
        ("prompts: |\n  a sun\n\nsteps: 5\n", {"prompts": [{"text": "b"}]}, "prompts:\n- b\n\nsteps: 5\n"),
        ("prompts: |+\n  a sun\n\nsteps: 5\n", {"prompts": [{"text": "b"}]}, "prompts:\n- b\nsteps: 5\n"),
    ],
)  # fmt: skip
def test_the_lines_after_a_text_of_several_lines_stay(text, changes, new):
    assert edited(text, changes) == new


def test_values_that_stand_at_several_places_are_kept_or_the_change_is_refused():
    text = "prompts:\n- &fox {image: fox.png, weight: 2}\n- *fox\n- a bird\nsteps: 5\n"
    shown = form(text)["prompts"]
    new = edited(text, {"prompts": [*shown[:2], {"text": "an owl"}]})
    fox = {"image": "fox.png", "weight": 2}
    assert yaml.safe_load(new) == {"prompts": [fox, fox, "an owl"], "steps": 5}
    assert edited("keep: &x noise\ninit: *x\nsteps: 5\n", {"init": None}) == "keep: &x noise\nsteps: 5\n"
    with pytest.raises(ValueError, match="refer to this one by & and \\*"):
        edited("keep: &x noise\ninit: *x\n", {"keep": None})


def test_a_value_that_yaml_cannot_read_is_refused_by_the_studio(studio):
    kept = "{text: !!set x, stop: 1}"
    body = {"text": f"prompts:\n- {kept}\n", "changes": {"prompts": [{"kept": kept}]}}
    assert studio.ask("/api/v1/recipes/edit", body)[0] == 422


def test_from_nothing():
    assert edited("", {"prompts": [{"text": "a fox", "weight": 1}]}) == "prompts:\n- a fox\n"
    assert edited("# only this\n", {"steps": 3}) == "# only this\nsteps: 3\n"


def test_json_stays_a_recipe():
    assert yaml.safe_load(edited('{"prompts": ["a"], "steps": 3}', {"steps": 5})) == {
        "prompts": ["a"],
        "steps": 5,
    }
    assert yaml.safe_load(edited('{"prompts": ["a"], "steps": 3}', {"steps": None})) == {"prompts": ["a"]}


@pytest.mark.parametrize(
    ("text", "changes"), [("- a", {"steps": 1}), ("a: [", {"steps": 1}), ("a: 1", {"plugins": ["x"]})]
)
def test_what_cannot_be_changed_is_said(text, changes):
    with pytest.raises(ValueError, match=r"mapping|no field"):
        edited(text, changes)


def test_problems_have_lines(tmp_path):
    found = problems("prompts: [a]\nsteps: x\n", tmp_path)
    assert [each["line"] for each in found] == [2]


def test_a_run_is_named_after_its_first_prompt():
    assert name_of("prompts: [a red: heart/../x]") == ""
    assert name_of("prompts: ['a red: heart/../x']") == "a red heart x"
