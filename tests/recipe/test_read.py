import io
import os
import sys

import pytest

from pixforge.errors import RecipeError
from pixforge.recipe import load_recipe

YAML = """
seed: 7
size: [64, 32]
prompts:
  - a red heart
  - {text: blurry, weight: -0.3}
generator: {type: pixels}
losses:
  - {type: smoothness, weight: {0: 0.0, 50%: 1.0}}
init: noise
"""
TOML = """
seed = 7
size = [64, 32]
prompts = ["a red heart", {text = "blurry", weight = -0.3}]
init = "noise"

[generator]
type = "pixels"

[[losses]]
type = "smoothness"
weight = {"0" = 0.0, "50%" = 1.0}
"""
JSON = """
{"seed": 7, "size": [64, 32], "prompts": ["a red heart", {"text": "blurry", "weight": -0.3}],
 "generator": {"type": "pixels"}, "init": "noise",
 "losses": [{"type": "smoothness", "weight": {"0": 0.0, "50%": 1.0}}]}
"""


def test_three_formats_say_the_same(write):
    resolved = {
        load_recipe(write(text, name)).resolved_yaml()
        for text, name in ((YAML, "a.yaml"), (YAML, "a.yml"), (TOML, "a.toml"), (JSON, "a.json"))
    }
    assert len(resolved) == 1


def test_standard_input_is_yaml(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(YAML.encode())))
    recipe = load_recipe("-")
    assert recipe.seed == 7
    assert recipe.origin.name == "stdin"


def test_errors_on_standard_input_have_a_line(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"prompts: [a]\nsteps: -1\n")))
    with pytest.raises(RecipeError, match=r"^<stdin>:2: steps: "):
        load_recipe("-")


def test_a_picture_carries_a_recipe(tmp_path):
    from PIL import Image

    from pixforge.media.metadata import png_info

    text = load_recipe({"prompts": ["a cat"], "seed": "kitty"}).resolved_yaml()
    Image.new("RGB", (8, 8)).save(tmp_path / "cat.png", pnginfo=png_info(text))
    recipe = load_recipe(tmp_path / "cat.png")
    assert (recipe.seed, recipe.prompts[0].text) == ("kitty", "a cat")
    assert (recipe.origin.name, recipe.origin.folder) == ("cat", tmp_path)


def test_yaml_numbers_are_those_people_mean(write):
    recipe = load_recipe(
        write(
            "prompts: [yes, 12:30, 2020-01-01, 0x7]\nseed: 007\noptimizer: {type: adam, learning_rate: 1e-3}"
        )
    )
    assert [prompt.text for prompt in recipe.prompts] == ["yes", "12:30", "2020-01-01", "0x7"]
    assert recipe.seed == 7
    assert recipe.optimizer.learning_rate.constant == 0.001


def test_anchors_may_be_used(write):
    recipe = load_recipe(write("prompts: [&cat {text: a cat}, *cat]"))
    assert [prompt.text for prompt in recipe.prompts] == ["a cat", "a cat"]


def test_a_byte_order_mark_does_no_harm(write):
    assert load_recipe(write(b"\xef\xbb\xbfprompts: [a]")).prompts[0].text == "a"


def test_fields_without_a_value_have_their_default(write):
    assert load_recipe(write("prompts: [a]\nfilters:\nseed:\nlosses:\n")).losses


def test_toml_dates_are_texts(complaint):
    assert complaint("prompts = ['a']\nsteps = 2020-01-01", "r.toml") == (
        "r.toml:2: steps: must be a whole number, not '2020-01-01'"
    )


BOMB = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    + [
        f"{name}: &{name} [{', '.join(['*' + last] * 10)}]"
        for last, name in zip("abcdef", "bcdefg", strict=True)
    ]
)
UNREADABLE = {
    "empty": ("", "recipe.yaml: the recipe is empty; 'prompts: [a sunflower]' alone is a recipe"),
    "list": ("- a", "recipe.yaml: a recipe is a mapping such as 'prompts: [a sunflower]', not a list"),
    "text": ("hello", "recipe.yaml: a recipe is a mapping such as 'prompts: [a sunflower]', not a text"),
    "latin-1": (b"a: b\nc: \xe4", "recipe.yaml:2: is not text in UTF-8 (byte 9)"),
    "duplicate": (
        "prompts: [a]\nsteps: 1\nsteps: 2",
        "recipe.yaml:3: 'steps' stands here twice in one mapping",
    ),
    "python tag": (
        "prompts: [a]\nseed: !!python/object/apply:os.getcwd []",
        "recipe.yaml:2: tags such as !!python/object/apply:os.getcwd are not allowed in a recipe",
    ),
    "documents": (
        "a: b\n---\nc: d",
        "recipe.yaml:2: not valid YAML: a recipe is a single document, so it has no second '---'",
    ),
    "unclosed": (
        "prompts: [a\nseed: 1",
        "recipe.yaml:2: not valid YAML: while parsing a flow sequence: expected ',' or ']', but got ':'",
    ),
    "deep": ("[" * 5000, "recipe.yaml:1: nested more than 50 levels deep"),
    "itself": ("prompts: &a [*a]", "recipe.yaml:1: nested more than 50 levels deep"),
    "bomb": (BOMB, "recipe.yaml:1: more than 20000 values, aliases written out"),
    "huge": (b"a" * (2**20 + 1), "recipe.yaml: is larger than 1 MiB, which no recipe is"),
    "key": ("? [a, b]\n: c", "recipe.yaml:1: a key must be a text or a whole number"),
    "half": ('a: "\\ud800"', "recipe.yaml: a text holds half a surrogate pair, which is no character"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable(case, complaint):
    text, message = UNREADABLE[case]
    assert complaint(text) == message


def test_null_bytes_are_named(complaint):
    assert "special characters are not allowed" in complaint(b"prompts: [a\0]")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.json", '{"a": 1,\n "b": }', "r.json:2: not valid JSON: Expecting value"),
        ("r.json", '{"a": 1, "a": 2}', "r.json: not valid JSON: 'a' stands twice in one object"),
        ("r.json", "[" * 100_000, "r.json: nested more than 50 levels deep"),
        ("r.json", "[1]", "r.json: a recipe is a mapping such as 'prompts: [a sunflower]', not a list"),
        ("r.toml", "a = [" + "[" * 5000, "r.toml: nested more than 50 levels deep"),
        ("r.txt", "prompts: [a]", "r.txt: a recipe's name ends in one of .yaml, .yml, .toml, .json, .png, "),
        ("r.png", "prompts: [a]", "r.png: is no picture or video that carries a recipe"),
    ],
)
def test_unreadable_files_of_other_kinds(name, text, message, complaint):
    assert complaint(text, name).startswith(message)


def test_toml_errors_have_a_line(complaint):
    assert complaint("a = 1\nb = \n", "r.toml").startswith("r.toml:2: not valid TOML: ")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.yaml", "gone.yaml: there is no such file"),
        (".", ".: is a folder; name a recipe in it, such as recipe.yaml"),
        ("a\0.yaml", "a\\x00.yaml: cannot be read (embedded null byte)"),
        (
            "a" * 300,
            "a" * 300 + ": a recipe's name ends in one of .yaml, .yml, .toml, .json, .png, .jpg, .jpeg, "
            ".webp, .gif, .mp4, .webm, .safetensors (or is - for standard input)",
        ),
    ],
)
def test_files_that_are_none(name, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as caught:
        load_recipe(name)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [object(), {1.5: "a"}, {"a": b"bytes"}, {True: 1}])
def test_mappings_hold_what_files_hold(value):
    with pytest.raises(RecipeError, match=r"^recipe: "):
        load_recipe({"prompts": ["a"], "generator": value})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize("name", ["r.yaml", "r.json", "r.toml", "r.png", "r.mp4", "r.safetensors"])
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(RecipeError, match=r"cannot be read \(not an ordinary file\)"):
        load_recipe(tmp_path / name)
