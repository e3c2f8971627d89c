import pydantic
import pytest

from pixforge.recipe import load_recipe

PLUGIN = """
from typing import Literal

import pixforge
from pixforge.contracts import Config, LossConfig


class {name}Config(LossConfig):
    type: Literal["{tag}"] = "{tag}"


class {name}(pixforge.Loss[{name}Config]):
    \"\"\"A loss of a test.\"\"\"

    def forward(self, view):
        return view.image.mean(dim=(1, 2, 3))


@pixforge.hookimpl
def pixforge_losses():
    return [{name}]
"""


def test_what_is_installed_will_do(write):
    text = "prompts: [a]\nrequires: [pydantic>=2, 'never-heard-of; python_version < \"3\"', \"pyyaml; extra == 'x'\"]"
    assert len(load_recipe(write(text)).requires) == 3


def test_everything_that_is_missing_is_named_with_the_cure(complaint):
    assert complaint(
        'prompts: [a]\nrequires:\n - pixforge-none>=0.1\n - pydantic<1\n - "???"'
    ).splitlines() == [
        'recipe.yaml:3: requires[0]: pixforge-none is not installed: pip install "pixforge-none>=0.1"',
        (
            f"recipe.yaml:4: requires[1]: pydantic {pydantic.VERSION} is installed, but the recipe needs <1: "
            'pip install "pydantic<1"'
        ),
        "recipe.yaml:5: requires[2]: '???' is not a requirement such as pixforge-strokes>=0.1",
    ]


@pytest.mark.parametrize("value", ["5", "[5]", "{a: b}"])
def test_lists_of_something_else(value, complaint):
    assert "recipe.yaml:2: requires" in complaint(f"prompts: [a]\nrequires: {value}")


def test_a_single_file_brings_a_loss(write):
    write(PLUGIN.format(name="Mine", tag="mine"), "mine.py")
    recipe = load_recipe(write("prompts: [a]\nplugins: [./mine.py]\nlosses: [mine]"))
    entry = recipe.origin.registry.of(recipe.losses[0], "loss")
    assert (entry.plugin.name, entry.tag) == ("mine", "mine")


def test_its_fields_are_checked_and_its_name_is_given(write, complaint):
    write(PLUGIN.format(name="Mine", tag="mine"), "mine.py")
    assert complaint("prompts: [a]\nplugins: [mine.py]\nlosses: [{type: mine, wait: 1}]") == (
        "recipe.yaml:3: losses[0].wait: loss 'mine' of plugin 'mine' (mine.py) has no field 'wait'. "
        "Did you mean 'weight'? (fields: stop, type, weight, where)"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_this_name", "failed in load: ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def (", "failed in load: SyntaxError: "),
        ("1 / 0", "failed in load: ZeroDivisionError: division by zero"),
        ("x = 1", "mine.py: no function is marked with @pixforge.hookimpl, so it registers nothing"),
        ("import pixforge\n@pixforge.hookimpl\ndef pixforge_lossses(): ...", "failed in register: "),
        ("import pixforge\n@pixforge.hookimpl\ndef pixforge_losses(): 1 / 0", "failed in pixforge_losses: ZeroDivisionError"),
        ("import pixforge\n@pixforge.hookimpl\ndef pixforge_losses(): return [int]", "is not a subclass of Loss"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_with_the_cause(text, message, write, complaint):
    write(text, "mine.py")
    said = complaint("prompts: [a]\nplugins: [mine.py]")
    assert message in said
    assert "mine.py" in said
    assert "\n" not in said


def test_two_files_with_one_loss_are_both_named(write, complaint):
    write(PLUGIN.format(name="One", tag="same"), "one.py")
    write(PLUGIN.format(name="Two", tag="same"), "two.py")
    said = complaint("prompts: [a]\nplugins: [one.py, two.py]")
    assert said.startswith(
        "two plugins have a loss 'same': plugin 'one' (one.py) and plugin 'two' (two.py); "
    )


def test_a_file_may_be_disabled(write):
    write(PLUGIN.format(name="One", tag="same"), "one.py")
    write(PLUGIN.format(name="Two", tag="same"), "two.py")
    recipe = load_recipe(write("prompts: [a]\nplugins: [one.py, two.py]\nlosses: [same]"), disabled=["one"])
    assert recipe.origin.registry.of(recipe.losses[0], "loss").plugin.name == "two"
