from pathlib import Path

import pytest
import yaml

from pixforge.contracts import Schedule
from pixforge.contracts.moment import Moment
from pixforge.errors import RecipeError
from pixforge.recipe import load_recipe

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "quickstart.png"


def load(**fields):
    return load_recipe({"prompts": ["a sunflower"], **fields})


def test_prompts_alone_are_a_recipe():
    recipe = load()
    assert recipe.version == 1
    assert recipe.generator.type == "vqgan"
    assert [config.type for config in recipe.exporters] == ["still", "video"]
    assert [config.model for config in recipe.perceptors] == ["embedded"]


@pytest.mark.parametrize(
    ("fields", "generator", "init", "rate"),
    [
        ({}, "vqgan", "tokens", 0.02),
        ({"init": "noise"}, "fourier", "noise", 0.05),
        (
            {"perceptors": [{"type": "open_clip", "model": "ViT-B-32", "pretrained": "openai"}]},
            "fourier",
            "noise",
            0.05,
        ),
        ({"generator": "fourier"}, "fourier", "tokens", 0.05),
        ({"generator": "vqgan", "init": "noise"}, "vqgan", "noise", 0.1),
        ({"optimizer": {"type": "adamw", "learning_rate": 0.3}}, "vqgan", "tokens", 0.3),
        # However long, a run leads as far away from a drawn start as one of 60 steps, unless it is after something else.
        ({"steps": 0}, "vqgan", "tokens", 0.02),
        ({"steps": 150}, "vqgan", "tokens", 0.008),
        ({"steps": 300, "generator": "vqgan", "init": "noise"}, "vqgan", "noise", 0.1),
        ({"film": {"fps": 10, "steps_per_frame": 4}, "steps": 400}, "vqgan", "tokens", 0.02),
        ({"steps": 150, "prompts": ["a", {"text": "b", "weight": {0: 0, 9: 1}}]}, "vqgan", "tokens", 0.02),
        ({"steps": 150, "prompts": [{"travel": ["a", "b"]}]}, "vqgan", "tokens", 0.02),
        ({"steps": 150, "init": {"type": "tokens", "text": "b"}}, "vqgan", "tokens", 0.02),
    ],
)
def test_generator_start_and_learning_rate_that_are_left_out_suit_each_other(fields, generator, init, rate):
    recipe = load(**fields)
    assert (recipe.generator.type, recipe.init.type) == (generator, init)
    assert recipe.optimizer.learning_rate.constant == pytest.approx(rate)


def test_what_the_cutouts_of_random_codes_are_told_stays_also_as_a_curve():
    recipe = load(
        generator="vqgan", init="noise", cutouts={"overview": {"wave": "sine"}, "power": {0: 1, 9: 2}}
    )
    written = yaml.safe_load(recipe.resolved_yaml())["cutouts"]
    assert written["overview"] == {"wave": "sine", "period": "100%", "low": 0, "high": 1, "phase": 0}
    assert (written["padding"], written["count"], written["power"]) == ("black", 24, {0: 1, 9: 2})


@pytest.mark.parametrize(
    ("fields", "coarse"),
    [
        ({}, 0.85),
        ({"generator": "vqgan", "size": [512, 256], "steps": 300}, 0.85),
        ({"generator": {"type": "vqgan", "coarse": 0}}, 0),
        ({"generator": {"type": "vqgan", "quantization": "none"}}, 0),
        ({"size": [512, 240]}, 0),  # a quarter of so few codes was not tried
        ({"init": "noise", "generator": "vqgan"}, 0),
        ({"prompts": [{"text": "a", "where": "left"}]}, 0),  # a part is small at half the size
        ({"init": {"type": "tokens", "begin": str(PICTURE)}}, 0),  # and what is given would lose its details
        ({"prompts": ["a", {"text": "b", "weight": {0: 0, 9: 1}}]}, 0),
        ({"film": {"fps": 12}}, 0),  # its frames would change their looks in the middle
        ({"edits": [{"type": "feedback", "zoom": 1.1}]}, 0),
        (
            {"losses": [{"type": "latent", "weight": 1}]},
            0,
        ),  # the latent is another one after the coarse steps
    ],
)
def test_most_steps_from_a_drawn_start_are_coarse(fields, coarse):
    assert load(**fields).generator.coarse == coarse


def test_a_start_from_random_codes_is_looked_at_as_the_field_does():
    """Nothing of the start may stay: cutouts are shrunk into black, so that the thing has to fill the picture."""
    codes = load(generator="vqgan", init="noise")
    assert (codes.cutouts.padding, codes.cutouts.overview.constant) == ("black", 0.5)
    assert [each.type for each in codes.augmentations] == ["affine", "perspective", "color", "noise"]
    assert codes.losses[0].weight.constant == 0.3
    few = load(generator="vqgan", init="noise", cutouts={"count": 5, "padding": "gray"}, losses=[])
    assert (few.cutouts.count, few.cutouts.padding, few.cutouts.overview.constant) == (5, "gray", 0.5)
    assert few.losses == []
    assert "perspective" in str(codes.model_dump(mode="json"))  # without a warning
    for other in (load(), load(init="noise"), load(generator="vqgan", init="noise", cutouts="pixray")):
        assert "perspective" not in [each.type for each in other.augmentations]


def test_a_single_prompt_needs_no_list():
    assert load_recipe({"prompts": "a cat"}).prompts == load_recipe({"prompts": ["a cat"]}).prompts


def test_prompts_in_the_way_of_other_tools_stay_texts():
    assert load_recipe({"prompts": ["a clock at 12:30"]}).prompts[0].text == "a clock at 12:30"


@pytest.mark.parametrize(
    ("written", "size"),
    [([64, 32], (64, 32)), (48, (48, 48)), ("64x32", (64, 32)), ("640 X 480", (640, 480))],
)
def test_sizes(written, size):
    assert load(size=written).size == size


@pytest.mark.parametrize("seed", [0, -5, 2**63 - 1, "7", "a word", "ö"])
def test_seeds_stay_as_they_are(seed):
    assert load(seed=seed).seed == seed


def test_a_seed_is_drawn_when_there_is_none():
    seeds = {load().seed for _ in range(5)}
    assert len(seeds) > 1
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:1"])
def test_devices(device):
    assert load(device=device).device == device


def test_several_devices_and_the_chunk():
    recipe = load(device=["cuda:0", "cuda:1"], chunk=12)
    assert (recipe.device, recipe.chunk) == (("cuda:0", "cuda:1"), 12)
    assert "device: [" in recipe.resolved_yaml() or "device:\n- cuda:0" in recipe.resolved_yaml()
    assert load().chunk == "auto"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"device": []}, "a list of devices names each"),
        ({"device": ["auto", "cpu"]}, "a list of devices names each"),
        ({"device": ["cpu", "tpu"]}, "a device is auto, cpu"),
        ({"chunk": 0}, "a chunk is auto, or a number of cutouts from 1 on"),
        ({"chunk": "all"}, "a chunk is auto"),
        ({"chunk": True}, "a chunk is auto"),
        ({"chunk": 2.5}, "a chunk is auto"),
    ],
)
def test_impossible_devices_and_chunks(fields, message):
    with pytest.raises(RecipeError, match=message):
        load(**fields)


def test_bare_words_are_components():
    assert load(generator="pixels").generator == load(generator={"type": "pixels"}).generator
    assert load(losses=["range"]).losses == load(losses=[{"type": "range"}]).losses


def test_a_picture_file_is_an_init(tmp_path):
    (tmp_path / "start.JPG").touch()
    recipe = load(init=str(tmp_path / "start.JPG"))
    assert (recipe.init.type, recipe.init.image) == ("image", str(tmp_path / "start.JPG"))


def test_learning_rate_is_the_generators_when_there_is_none():
    recipe = load(generator="pixels")
    generator = recipe.origin.registry.get("generator", "pixels").component
    assert recipe.optimizer.learning_rate == Schedule(generator.learning_rate)
    assert (
        load(optimizer={"type": "sgd", "learning_rate": {0: 1, "100%": 0}}).optimizer.learning_rate.value(
            Moment(0, 9)
        )
        == 1
    )


def test_positive_and_negative_weights_may_cancel():
    recipe = load(prompts=["a", {"text": "b", "weight": -1}])
    assert [prompt.weight.constant for prompt in recipe.prompts] == [1, -1]


def test_recipes_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load().steps = 5
