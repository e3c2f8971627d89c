from pathlib import Path

import pytest
from known_words import fields, known

from pixforge.errors import RecipeError
from pixforge.recipe import load_recipe
from pixforge.recipe.overrides import parse_setting

SKETCH = str(Path(__file__).parents[2] / "examples" / "sketch.png")
BASE = {
    "prompts": ["a", {"text": "b", "weight": 2}],
    "generator": {"type": "fourier", "decay": 2},
    "losses": ["range", {"type": "smoothness", "weight": {"0": 0, "50%": 1}}],
}


def load(*settings):
    return load_recipe(BASE, [parse_setting(text) for text in settings])


def complaint(*settings, source=BASE):
    with pytest.raises(RecipeError) as caught:
        load_recipe(source, [parse_setting(text) for text in settings])
    return str(caught.value)


def test_values_are_yaml():
    recipe = load("steps=5", "size=[32, 64]", "seed='7'", "precision=fp32", "filters=[]")
    assert (recipe.steps, recipe.size, recipe.seed, recipe.precision) == (5, (32, 64), "7", "fp32")


@pytest.mark.parametrize("path", ["losses.1.weight", "losses[1].weight", "losses[1]weight"])
def test_paths_into_lists(path):
    assert load(f"{path}=7").losses[1].weight.constant == 7


def test_a_single_keyframe():
    recipe = load("losses.1.weight.50%=3", "losses.1.weight.0=2")
    assert recipe.losses[1].weight.plain() == {0: 2, "50%": 3}


def test_bare_words_open_up():
    recipe = load("losses.0.weight=3", "prompts.0.weight=-1")
    assert (recipe.losses[0].type, recipe.losses[0].weight.constant) == ("range", 3)
    assert (recipe.prompts[0].text, recipe.prompts[0].weight.constant) == ("a", -1)


def test_another_type_drops_the_fields_of_the_old_one():
    recipe = load("generator.type=pixels")
    assert recipe.generator == load_recipe({"prompts": ["a"], "generator": "pixels"}).generator


def test_a_start_picture_in_short_form_opens_up():
    source = {"prompts": ["a"], "generator": "pixels", "init": SKETCH}
    recipe = load_recipe(source, {"init.opacity": 0.5})
    assert (recipe.init.type, recipe.init.image, recipe.init.opacity) == ("image", SKETCH, 0.5)


def test_a_type_for_what_had_none():
    source = {"prompts": ["a"], "optimizer": {"learning_rate": 0.03}}
    recipe = load_recipe(source, {"optimizer.type": "sgd", "prompts.0.type": "text", "prompts.0.weight": 2})
    assert (recipe.optimizer.type, recipe.optimizer.learning_rate.constant) == ("sgd", 0.03)
    assert (recipe.prompts[0].text, recipe.prompts[0].weight.constant) == ("a", 2)


def test_a_field_of_the_other_default():
    recipe = load_recipe({"prompts": ["a"]}, {"generator.alpha": True, "cutouts.padding": "black"})
    assert (recipe.generator.type, recipe.generator.alpha) == ("fourier", True)
    assert (recipe.cutouts.type, recipe.cutouts.count) == ("random", 24)


def test_the_same_type_keeps_its_fields():
    assert load("generator.type=fourier").generator.decay == 2


def test_what_the_recipe_lacks_starts_from_the_defaults():
    recipe = load_recipe(
        {"prompts": ["a"]}, {"losses.0.weight": 2, "generator.ema": 0.5, "optimizer.eps": 1e-3}
    )
    assert (recipe.losses[0].type, recipe.losses[0].weight.constant) == ("smoothness", 2)
    assert (recipe.generator.type, recipe.generator.ema) == ("vqgan", 0.5)
    assert (recipe.optimizer.type, recipe.optimizer.eps) == ("adam", 1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"exporters.0.name": "x", "film.fps": 4, "steps": 100},
        {"film.fps": 4, "steps": 100, "exporters[0].name": "x"},
        {"exporters.0.name": "x", "scenes": ["a", "b"]},
        {"losses.0.weight": 2, "exporters.0.name": "x", "scenes": ["a", "b"]},
    ],
)
def test_an_exporter_of_a_film_may_be_changed(changes):
    recipe = load_recipe({"prompts": ["a"]}, changes)
    assert [(each.type, each.name) for each in recipe.exporters] == [("still", "x"), ("film", "film")]


@pytest.mark.parametrize(
    "start",
    [
        {"generator": "vqgan", "init": "noise"},
        {
            "generator": {"type": "vqgan"},
            "perceptors": [{"type": "open_clip", "model": "ViT-B-32", "pretrained": "openai"}],
        },
    ],
)
def test_what_random_codes_start_from_stays_when_a_part_of_it_is_changed(start):
    plain = load_recipe({"prompts": ["a"], **start})
    recipe = load_recipe({"prompts": ["a"]}, {"augmentations.0.degrees": 5, "losses.0.stop": 0.5, **start})
    assert [each.type for each in recipe.augmentations] == ["affine", "perspective", "color", "noise"]
    assert (recipe.augmentations[0].degrees.constant, recipe.augmentations[1:]) == (
        5,
        plain.augmentations[1:],
    )
    assert (recipe.losses[0].weight.constant, recipe.losses[0].stop.constant) == (0.3, 0.5)
    other = load_recipe({"prompts": ["a"], "generator": "fourier"}, {"augmentations.0.degrees": 5})
    assert [each.type for each in other.augmentations] == ["affine", "color", "noise"]


def test_defaults_stay_what_they_are():
    load_recipe({"prompts": ["a"]}, {"losses.0.weight": 2})
    assert load_recipe({"prompts": ["a"]}).losses[0].weight.constant != 2


def test_python_mappings():
    recipe = load_recipe(BASE, {"steps": 100, "generator.type": "pixels"})
    assert (recipe.steps, recipe.generator.type) == (100, "pixels")


def test_the_source_is_not_changed():
    load("generator.decay=1")
    assert BASE["generator"] == {"type": "fourier", "decay": 2}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("steps", "write path=value, such as losses.0.weight=2"),
        ("=5", "write path=value, such as losses.0.weight=2"),
        ("steps=[1", "not valid YAML: while parsing a flow sequence: expected ',' or ']', but got '<stream end>'"),
        ("a..b=1", "'a..b' is not a path such as generator.type or losses.0.weight"),
        ("losses.2.weight=1", "losses is a list with an index from 0 to 1, so '2' is none of it"),
        ("losses.first.weight=1", "losses is a list with an index from 0 to 1, so 'first' is none of it"),
        ("filters.0.type=roll", "filters is a list with no items, so '0' is none of it"),
        ("steps.x=1", "steps is a number, 60, and has nothing inside"),
        ("losses.9999999999999999999.weight=1", "losses is a list with an index from 0 to 1, so '9999999999999999999' is none of it"),
    ],
)  # fmt: skip
def test_paths_that_lead_nowhere(setting, message):
    assert complaint(setting) == f"--set {setting}: {message}"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("steps=-1", "steps: must be greater than or equal to 0, not -1"),
        ("generator.type=pixls", f"generator.type: unknown generator 'pixls'. Did you mean 'pixels'? {known('generator')}"),
        ("prompts.0.wait=1", f"prompts[0].wait: prompt 'text' of plugin 'prompts' (pixforge.builtin.prompts) has no field 'wait'. Did you mean 'weight'? {fields('prompt', 'text')}"),
        ("init.type=image", "init.image: missing"),
    ],
)  # fmt: skip
def test_values_at_fault_name_the_override(setting, message):
    assert complaint(setting) == f"--set {setting}: {message}"


def test_unknown_mappings_name_the_override():
    assert complaint("lossses.x=1").startswith(
        "--set lossses.x=1: lossses: a recipe has no field 'lossses'. Did you"
    )


def test_python_overrides_are_named():
    with pytest.raises(RecipeError, match=r"^override steps=-1: steps: must be greater"):
        load_recipe(BASE, {"steps": -1})


def test_errors_of_the_file_keep_their_line(tmp_path):
    (tmp_path / "r.yaml").write_text("prompts: [a]\ngenerator:\n  type: fourier\n  decay: -1\n")
    with pytest.raises(RecipeError, match=r"r\.yaml:4: generator\.decay: "):
        load_recipe(tmp_path / "r.yaml", {"generator.noise": 0.1})
