"""Errors are for the person who wrote the recipe: where, what, and what would work."""

import pytest

LOSSES = "(known: latent, range, saturation, smoothness, symmetry)"
MESSAGES = {
    "unknown type": (
        "prompts: [a]\nlosses:\n  - smoothness\n  - {type: symetry}",
        f"recipe.yaml:4: losses[1].type: unknown loss 'symetry'. Did you mean 'symmetry'? {LOSSES}",
    ),
    "unknown word": (
        "prompts: [a]\nlosses: [symetry]",
        f"recipe.yaml:2: losses[0].type: unknown loss 'symetry'. Did you mean 'symmetry'? {LOSSES}",
    ),
    "unlike anything": (
        "prompts: [a]\ngenerator: zzz",
        "recipe.yaml:2: generator.type: unknown generator 'zzz' (known: fourier, pixels, vqgan)",
    ),
    "no type": (
        "prompts: [a]\nlosses:\n  - {weight: 1}",
        f"recipe.yaml:3: losses[0].type: missing; which loss? {LOSSES}",
    ),
    "not a component": (
        "prompts: [a]\ngenerator: [fourier]",
        "recipe.yaml:2: generator: must be the name of a generator or a mapping with 'type', not a list",
    ),
    "not a type": (
        "prompts: [a]\noptimizer: {type: [adam]}",
        (
            "recipe.yaml:2: optimizer.type: unknown optimizer ['adam']. Did you mean 'adam'? "
            "(known: adagrad, adam, adamax, adamw, nadam, radam, rmsprop, sgd)"
        ),
    ),
    "unknown field": (
        "prompts: [a]\ngenerator:\n  type: fourier\n  dekay: 3",
        (
            "recipe.yaml:4: generator.dekay: generator 'fourier' of plugin 'generators' (pixforge.builtin.generators) "
            "has no field 'dekay'. Did you mean 'decay'? (fields: contrast, decay, noise, type)"
        ),
    ),
    "unknown field of a prompt": (
        "prompts:\n  - {txt: a}",
        (
            "recipe.yaml:2: prompts[0].txt: a prompt has no field 'txt'. Did you mean 'text'? "
            "(fields: image, stop, text, weight)"
        ),
    ),
    "too much": (
        "prompts: [a]\nsteps: 1000001",
        "recipe.yaml:2: steps: must be less than or equal to 1000000, not 1000001",
    ),
    "not a number": ("prompts: [a]\nsteps: many", "recipe.yaml:2: steps: must be a whole number, not 'many'"),
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
        "recipe.yaml:1: prompts[0]: a prompt is a text (in quotes if it is a number) or {text: ..., weight: ...}",
    ),
    "two in one": (
        "prompts: [{text: a, image: b.png}]",
        "recipe.yaml:1: prompts[0]: a prompt has either a text or an image",
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
        "recipe.yaml:2: size: a size is [width, height], one number for a square, or a text such as 512x256"
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
