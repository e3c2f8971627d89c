"""Errors are for the person who wrote the recipe: where, what, and what would work."""

import traceback

import pytest
from known_words import fields, known

from pixforge.errors import RecipeError
from pixforge.recipe import load_recipe

LOSSES = known("loss")
MESSAGES = {
    "unknown type": (
        "prompts: [a]\nlosses:\n  - smoothness\n  - {type: symetry}",
        f"recipe.yaml:4: losses[1].type: unknown loss 'symetry'. Did you mean 'symmetry'? {LOSSES}",
    ),
    "unknown word": (
        "prompts: [a]\nlosses: [symetry]",
        f"recipe.yaml:2: losses[0].type: unknown loss 'symetry'. Did you mean 'symmetry'? {LOSSES}",
    ),
    "a component of a plugin of ours": (
        "prompts: [a]\ngenerator: siren",
        (
            f"recipe.yaml:2: generator.type: unknown generator 'siren' {known('generator')}; it comes with "
            "pixforge-siren: pip install ./plugins/siren in a copy of pixforge's repository"
        ),
    ),
    "unlike anything": (
        "prompts: [a]\ngenerator: zzz",
        f"recipe.yaml:2: generator.type: unknown generator 'zzz' {known('generator')}",
    ),
    "no type": (
        "prompts: [a]\nlosses:\n  - {weight: 1}",
        f"recipe.yaml:3: losses[0].type: missing; which loss? {LOSSES}",
    ),
    "no type, and several could be meant": (
        "prompts: [a]\nexporters:\n  - {quality: 50}",
        f"recipe.yaml:3: exporters[0].type: missing; still or video could be meant {known('exporter')}",
    ),
    "no type, and none of the defaults": (
        "prompts: [a]\noptimizer: {momentum: 0.9}",
        (
            f"recipe.yaml:2: optimizer.type: missing; muon or rmsprop or sgd could be meant {known('optimizer')}"
        ),
    ),
    "no type, and a field that nobody has": (
        "prompts: [a]\ncutouts: {cuont: 9}",
        (
            "recipe.yaml:2: cutouts.cuont: cutouts 'random' of plugin 'cutouts' (pixforge.builtin.cutouts) "
            f"has no field 'cuont'. Did you mean 'count'? {fields('cutouts', 'random')}"
        ),
    ),
    "not a component": (
        "prompts: [a]\ngenerator: [fourier]",
        "recipe.yaml:2: generator: must be the name of a generator or a mapping with 'type', not a list",
    ),
    "not a type": (
        "prompts: [a]\noptimizer: {type: [adam]}",
        (
            "recipe.yaml:2: optimizer.type: unknown optimizer ['adam']. Did you mean 'adam'? "
            f"{known('optimizer')}"
        ),
    ),
    "unknown field": (
        "prompts: [a]\ngenerator:\n  type: fourier\n  dekay: 3",
        (
            "recipe.yaml:4: generator.dekay: generator 'fourier' of plugin 'generators' (pixforge.builtin.generators) "
            f"has no field 'dekay'. Did you mean 'decay'? {fields('generator', 'fourier')}"
        ),
    ),
    "unknown field of a prompt": (
        "prompts:\n  - {txt: a}",
        (
            "recipe.yaml:2: prompts[0]: a prompt needs a key that says what it is, and 'txt' is none. "
            f"Did you mean 'text'? {known('prompt')}"
        ),
    ),
    "too much": (
        "prompts: [a]\nsteps: 1000001",
        "recipe.yaml:2: steps: must be less than or equal to 1000000, not 1000001",
    ),
    "not a number": ("prompts: [a]\nsteps: many", "recipe.yaml:2: steps: must be a whole number, not 'many'"),
    "neither": ("prompts: [a]\ncompile: 3", "recipe.yaml:2: compile: must be true or false, not 3"),
    "true": ("prompts: [a]\ncanvases: true", "recipe.yaml:2: canvases: must be a number, not true or false"),
    "nan": (
        "prompts: [a]\ngenerator: {type: fourier, decay: .nan}",
        "recipe.yaml:2: generator.decay: must be a finite number, not nan",
    ),
    "choice": (
        "prompts: [a]\nexporters: [{type: still, format: pgn}]",
        "recipe.yaml:2: exporters[0].format: unknown value 'pgn'. Did you mean 'png'? (known: jpeg, png, webp)",
    ),
    "no list": ("prompts: [a]\nlosses: range", "recipe.yaml:2: losses: must be a list, not 'range'"),
    "no prompts": (
        "# nothing\nseed: 1",
        "recipe.yaml:2: prompts: missing; say what the picture should show, such as prompts: [a sunflower]",
    ),
    "no prompt": ("prompts: []", "recipe.yaml:1: prompts: must have at least 1 item, not 0"),
    "empty prompt": (
        "prompts:\n- a\n- ' '",
        "recipe.yaml:3: prompts[1]: the text is empty; say what the picture should show",
    ),
    "number as prompt": (
        "prompts: [1984]",
        "recipe.yaml:1: prompts[0]: a prompt is a text (in quotes if it is a number) or {text: ..., weight: ...}, not a number",
    ),
    "two in one": (
        "prompts: [{text: a, image: b.png}]",
        "recipe.yaml:1: prompts[0]: a prompt has only one of text, image",
    ),
    "no weight": (
        "prompts: [{text: a, weight: 0}, {text: b, weight: {0: 0, 50%: 0}}]",
        "recipe.yaml:1: prompts: all weights are 0; give at least one another value",
    ),
    "no perceptor's weight": (
        "prompts: [a]\nperceptors: [{type: open_clip, weight: 0}]",
        "recipe.yaml:2: perceptors: all weights are 0; give at least one another value",
    ),
    "infinite weight": (
        "prompts: [{text: a, weight: .inf}]",
        "recipe.yaml:1: prompts[0].weight: expected a finite number",
    ),
    "negative weight": (
        "prompts: [a]\nperceptors: [{type: open_clip, weight: {0: 1, 50%: -1}}]",
        "recipe.yaml:2: perceptors[0].weight: -1 must be at least 0",
    ),
    "no learning": (
        "prompts: [a]\noptimizer: {type: adam, learning_rate: 0}",
        "recipe.yaml:2: optimizer.learning_rate: 0 throughout would leave the picture as it starts; give a value above 0",
    ),
    "version": ("prompts: [a]\nversion: 2", "recipe.yaml:2: version: unknown value 2 (known: 1)"),
    "device": (
        "prompts: [a]\ndevice: gpu",
        "recipe.yaml:2: device: a device is auto, cpu, cuda, cuda:N or mps",
    ),
    "no picture": (
        "prompts: [a, {image: sketch.png}]",
        "recipe.yaml:1: prompts[1].image: there is no file sketch.png",
    ),
    "no picture to start from": (
        "prompts: [a]\ninit: start.jpg",
        "recipe.yaml:2: init.image: there is no file start.jpg",
    ),
    "a folder instead of a picture": (
        "prompts: [a]\ninit: {type: image, image: .}",
        "recipe.yaml:2: init.image: . is a folder; name a file, of a row of pictures the first",
    ),
    "missing field": ("prompts: [a]\ninit:\n  type: image", "recipe.yaml:2: init.image: missing"),
    "no plugin file": (
        "prompts: [a]\nplugins:\n  - ./mine.py",
        "recipe.yaml:3: plugins[0]: there is no file mine.py",
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_one_line_that_says_it_all(case, complaint):
    text, message = MESSAGES[case]
    assert complaint(text) == message


@pytest.mark.parametrize(
    "size", ["0", "[0, 256]", "-5", "[256, -1]", "1000000000", "[1000000000, 8]", "15", "8193"]
)
def test_sizes_that_are_too_small_or_too_large(size, complaint):
    assert (
        complaint(f"prompts: [a]\nsize: {size}")
        == "recipe.yaml:2: size: width and height go from 16 to 8192 pixels"
    )


@pytest.mark.parametrize(
    "size", ["big", "[a, b]", "[1]", "[64, 64, 64]", "64.5", "true", "{a: 1}", "256x", "[true, 64]"]
)
def test_sizes_that_are_none(size, complaint):
    assert complaint(f"prompts: [a]\nsize: {size}") == (
        "recipe.yaml:2: size: a size is [width, height], one number for a square, a text such as 512x256, or retain"
    )


@pytest.mark.parametrize("seed", ["1.5", "true", "[1]", "''", "9223372036854775808", "9" * 1000])
def test_seeds_that_are_none(seed, complaint):
    assert complaint(f"prompts: [a]\nseed: {seed}").startswith("recipe.yaml:2: seed: a seed ")


def test_everything_at_once_in_the_order_of_the_file(complaint):
    lines = complaint("steps: -1\nsize: 0\nlosses: [a, range, b]\nlossses: []\nprompts: []").splitlines()
    assert [line.split(": ")[0:2] for line in lines] == [
        ["recipe.yaml:1", "steps"],
        ["recipe.yaml:2", "size"],
        ["recipe.yaml:3", "losses[0].type"],
        ["recipe.yaml:3", "losses[2].type"],
        ["recipe.yaml:4", "lossses"],
        ["recipe.yaml:5", "prompts"],
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.toml", ('prompts = ["a"]\n\n# a comment\n[generator]\ntype = "fourier"\n\n[[losses]]\ntype = "range"\n'
                   '[[losses]]\nweight = 2\ntype = [\n  "range",\n]\n')),
        ("r.json", '{"prompts": ["a"],\n"losses": [\n{"type": "range"},\n\n\n\n\n\n\n{"weight": 2,\n"type": ["range"]\n}]}'),
    ],
)  # fmt: skip
def test_lines_of_other_formats(name, text, complaint):
    assert complaint(text, name).startswith(f"{name}:11: losses[1].type: unknown loss ['range']")


def test_long_values_are_shortened(complaint):
    message = complaint(f"prompts: [a]\nsteps: {'x' * 5000}\n{'y' * 5000}: 1")
    assert all(len(line) < 600 for line in message.splitlines())


@pytest.mark.parametrize(
    ("word", "field"),
    [("iterations", "steps"), ("Prompt", "prompts"), ("learning-rate", "optimizer.learning_rate")],
)
def test_a_word_of_another_program_is_understood_by_its_meaning(word, field, complaint):
    expected = f"recipe.yaml:2: {word}: a recipe has no field '{word}'. Did you mean '{field}'? (fields: "
    assert complaint(f"prompts: [a]\n{word}: 5").startswith(expected)


def test_a_long_list_is_printed_once(tmp_path):
    from pixforge.errors import RecipeError
    from pixforge.recipe import load_recipe

    (tmp_path / "r.yaml").write_text("prompts: [a]\nsead: 1\nstep: 2\nlosses: [{type: range, wieght: 1}]\n")
    with pytest.raises(RecipeError) as caught:
        load_recipe(tmp_path / "r.yaml")
    first, second, third = str(caught.value).splitlines()
    assert "(fields: augmentations, " in first
    assert second.endswith("Did you mean 'steps'?")
    assert third.endswith(fields("loss", "range"))


def test_the_sample_in_the_readme_is_what_its_recipe_says(complaint):
    import re
    from pathlib import Path

    page = (Path(__file__).parents[2] / "README.md").read_text().split("## A recipe")[1]
    recipe = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1]
    sample = re.search(r"```text\n(recipe.yaml:.*?)\n```", page, re.DOTALL)[1]
    assert complaint(recipe.replace("symmetry", "symetry")) == sample


def test_every_word_of_other_programs_leads_to_a_field():
    from pixforge.recipe import Recipe
    from pixforge.recipe.meant import FIELDS

    assert {meant.split(".")[0] for meant in FIELDS.values()} <= set(Recipe.model_fields)
    assert not set(FIELDS) & set(Recipe.model_fields)


def test_components_of_our_own_plugins_are_where_the_hint_says():
    from pathlib import Path

    from pixforge.recipe.meant import OURS

    home = Path(__file__).parents[2] / "plugins"
    for folder, brought in OURS.items():
        sources = [path.read_text() for path in (home / folder).glob("pixforge_*/*.py")]
        for kind, tag in (each.split() for each in brought):
            named = [source for source in sources if f'type: Literal["{tag}"]' in source]
            assert any(f"({kind.capitalize()}[" in each or kind == "generator" for each in named), tag


def test_in_a_notebook_the_error_alone_is_shown():
    with pytest.raises(RecipeError) as caught:
        load_recipe({"prompts": ["a"], "stepz": 3})
    shown = "".join(traceback.format_exception(caught.value))
    assert "stepz" in shown
    assert "During handling" not in shown
