"""Scenes become prompts, losses and edits that count for a part of the run."""

from pathlib import Path

import pytest
import yaml

import pixforge
from pixforge.contracts.moment import Moment
from pixforge.errors import RecipeError

FILM = {"fps": 10, "steps_per_frame": 2, "first_frame_steps": 6}


def load(scenes, film=FILM, **fields):
    return pixforge.load_recipe({"film": film, "scenes": scenes, "seed": 1, **fields})


def weights(recipe, step):
    moment = Moment(step, recipe.steps)
    return {each.text: each.weight.value(moment) for each in recipe.prompts}


def test_the_length_is_that_of_the_scenes_to_the_frame():
    recipe = load([{"seconds": 1.26, "prompts": ["red"]}, {"seconds": 0.5, "prompts": ["blue"]}])
    assert recipe.film.count(recipe.steps) == 18
    assert recipe.film.end(17) == recipe.steps == 40
    assert recipe.scenes is None
    assert [each.type for each in recipe.exporters] == ["still", "film"]


def test_scenes_from_random_codes_have_the_losses_of_such_a_start():
    recipe = load(["red", "blue"], generator="vqgan", init="noise")
    assert [(each.type, each.weight.constant) for each in recipe.losses] == [("smoothness", 0.3)]


def test_prompts_take_over_from_each_other_and_are_one_together():
    recipe = load([{"seconds": 1, "prompts": ["red"]}, {"seconds": 1, "fade": 0.5, "prompts": ["blue"]}])
    first = recipe.film.begin(10)  # the steps of the first frame of the second scene begin here
    assert weights(recipe, first) == {"red": 1, "blue": 0}
    assert weights(recipe, first + 5) == {"red": 0.5, "blue": 0.5}
    assert weights(recipe, first + 10) == {"red": 0, "blue": 1}
    assert all(sum(weights(recipe, step).values()) == 1 for step in range(recipe.steps))


def test_a_cut_is_at_the_frame():
    recipe = load([{"seconds": 1, "prompts": ["red"]}, {"seconds": 1, "prompts": ["blue"]}])
    assert weights(recipe, recipe.film.end(9) - 1) == {"red": 1, "blue": 0}
    assert weights(recipe, recipe.film.end(9)) == {"red": 0, "blue": 1}


def test_keyframes_count_from_the_beginning_of_their_scene():
    loss = {"type": "symmetry", "weight": {"0%": 0, "100%": 3}}
    recipe = load([{"seconds": 1, "prompts": ["red"]}, {"seconds": 1, "losses": [loss], "prompts": ["blue"]}])
    begin = recipe.film.begin(10)
    weight = recipe.losses[-1].weight
    assert [weight.value(Moment(step, recipe.steps)) for step in (0, begin - 1, begin, recipe.steps - 1)] == [
        0,
        0,
        0,
        3,
    ]


def test_losses_and_edits_of_the_recipe_stay_and_those_of_a_scene_end_with_it(tmp_path):
    (tmp_path / "a.png").write_bytes((Path(__file__).parents[2] / "examples" / "sketch.png").read_bytes())
    overlay = {"type": "overlay", "image": str(tmp_path / "a.png")}
    scenes = [{"seconds": 1, "edits": [overlay]}, {"seconds": 1, "losses": ["saturation"]}]
    recipe = load(scenes, prompts=["red"], edits=[overlay])
    assert [each.type for each in recipe.losses] == ["smoothness", "saturation"]
    assert [(each.since, each.until) for each in recipe.edits] == [
        (0, "100%"),
        (0, recipe.film.begin(10) - 1),
    ]


def test_a_loop_returns_to_its_first_prompts_and_picture():
    recipe = load([{"seconds": 1, "prompts": ["red"]}, {"seconds": 2, "prompts": ["blue"]}], loop=True)
    totals = [
        sum(each.weight.value(Moment(step, recipe.steps)) for each in recipe.prompts)
        for step in range(recipe.steps)
    ]
    assert totals == pytest.approx([1] * recipe.steps)
    last = {each.text: each.weight.value(Moment(recipe.steps - 1, recipe.steps)) for each in recipe.prompts}
    assert last["blue"] < 0.1
    assert [(each.type, each.frames) for each in recipe.edits] == [("return", 10)]


def test_a_story_is_a_list_or_a_text_file(tmp_path):
    (tmp_path / "story.txt").write_text("# three parts\na seed\n\na flower\na fruit\n")
    for story in (["a seed", "a flower", "a fruit"], str(tmp_path / "story.txt")):
        recipe = load({"story": story, "seconds": 2, "suffix": ", in oil"})
        assert [each.text for each in recipe.prompts] == [
            "a seed, in oil",
            "a flower, in oil",
            "a fruit, in oil",
        ]
        assert recipe.film.count(recipe.steps) == 60


def test_recipes_of_strangers_read_no_story(write, tmp_path):
    (tmp_path / "story.txt").write_text("secret\n")
    path = write("film: {fps: 4}\nscenes: {story: story.txt, fade: 0}\n")
    assert pixforge.load_recipe(path).prompts[0].text == "secret"
    with pytest.raises(
        RecipeError, match=r"recipe.yaml:2: scenes.story: this recipe may not read a story"
    ) as caught:
        pixforge.load_recipe(path, trust="none")
    assert "secret" not in str(caught.value)
    listed = write("film: {fps: 4}\nscenes: {story: [a seed], fade: 0}\n")
    assert pixforge.load_recipe(listed, trust="none").prompts[0].text == "a seed"


def test_the_resolved_recipe_says_the_same_again(tmp_path):
    recipe = load([{"seconds": 1, "prompts": ["red"]}, {"fade": 1, "prompts": ["blue"]}], loop=True)
    (tmp_path / "recipe.yaml").write_text(recipe.resolved_yaml(tmp_path))
    again = pixforge.load_recipe(tmp_path / "recipe.yaml")
    assert again.resolved_yaml(tmp_path) == recipe.resolved_yaml(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenes: [{seconds: 0.01, prompts: [red]}]", "recipe.yaml:1: scenes[0].seconds: 0.01 seconds are less than a frame"),
        ("scenes: [{seconds: 0, prompts: [red]}]", "scenes[0].seconds: must be greater than 0, not 0"),
        ("scenes: [{secnds: 1, prompts: [red]}]", "scenes[0].secnds: a scene has no field 'secnds'. Did you mean 'seconds'?"),
        ("scenes: [{prompts: [red]}, {fade: 9, prompts: [red]}]", "scenes[1].fade: 9 seconds are longer than the scene, which takes 4"),
        ("scenes: [red, {seconds: 1}]", "scenes[1]: has no prompts, and the recipe itself has none"),
        ("scenes: [red]\nsteps: 10", "recipe.yaml:2: steps: the scenes say how many there are"),
        ("prompts: [red]\nloop: true", "loop: closes a film, and there is no `film:` or `scenes:`"),
        ("prompts: [red]\nfilm: {first_frame_steps: 9}\nsteps: 10\nloop: true", "loop: needs a film of two frames or more"),
        ("prompts: [red]\nfilm: {lead_in: 9}", "film: lead_in: 9 frames of 4 steps do not go into first_frame_steps: 40"),
        ("scenes: [red]\nfilm: [1]", "recipe.yaml:2: film: must be a mapping, not a list"),
        ("scenes: [red]\nloop: 3", "loop: must be true or false, not 3"),
        ("scenes: {story: none.txt}", "none.txt; a story is a list, or a text file"),
        ("scenes: []", "scenes: is a list of scenes, or a mapping with a `story`"),
        ("scenes: [red]\nfilm: {fps: 0}", "recipe.yaml:2: film.fps: must be greater than or equal to 1, not 0"),
        ("scenes:\n- seconds: 1\n  prompts:\n  - {text: red, wheight: 2}\n- blue", "recipe.yaml:4: scenes[0].prompts[0].wheight"),
        ("scenes: [{edits: [{type: overlay, image: a.png, since: 3}], prompts: [a]}, b]", "scenes[0].edits[0].since: an edit of a scene"),
        ("prompts: [red]\nfilm: {first_frame_steps: 100}\nsteps: 50", "film: no frame is done after 50 steps"),
        ("prompts: [red]\nexporters: [film]", "exporters[0]: there is no film without"),
        (
            "film: {fps: 60}\nscenes: [{seconds: 1, prompts: [a]}]\nexporters: [{type: film, format: gif}]",
            "exporters[0]: a gif has at most 50 frames per second, and the film has 60",
        ),
    ],
)  # fmt: skip
def test_mistakes_get_one_line(complaint, text, message):
    found = complaint(text)
    assert message in found
    assert "\n" not in found


def test_a_loop_begins_in_motion_and_is_back_before_its_echoes_end():
    echo = {"type": "feedback", "delay": 3}
    recipe = load(
        [{"seconds": 1, "prompts": ["a"]}, {"seconds": 3, "prompts": ["b"]}],
        {"fps": 10, "steps_per_frame": 2, "first_frame_steps": 16},
        loop=True,
        edits=[echo],
    )
    assert (recipe.edits[-1].type, recipe.edits[-1].frames, recipe.edits[-1].hold) == ("return", 13, 3)
    assert recipe.film.lead_in == 6  # as many as go into the steps of the first frame
    assert recipe.film.boundary(0) is None
    assert [recipe.film.boundary(step) for step in (2, 3, 14, 16)] == [-7, None, -1, 0]
    again = pixforge.load_recipe(yaml.safe_load(recipe.resolved_yaml()))
    assert again.edits == recipe.edits
    assert again.film == recipe.film
    still = load([{"seconds": 1, "prompts": ["a"]}, {"seconds": 3, "prompts": ["b"]}], loop=True)
    assert still.film.lead_in == 0


def test_the_camera_of_the_first_scene_is_back_at_the_end_of_a_loop():
    camera = {"type": "camera", "zoom": 2}
    scenes = [{"seconds": 1, "prompts": ["a"], "edits": [camera]}, {"seconds": 3, "prompts": ["b"]}]
    recipe = load(scenes, loop=True)
    first, last = (each.strength for each in recipe.edits[:2])
    moments = [Moment(recipe.film.end(frame), recipe.steps) for frame in (0, 15, 38)]
    assert [first.value(each) for each in moments] == [1, 0, 0]
    assert [last.value(each) for each in moments] == [0, 0, 1]


@pytest.mark.parametrize("scenes", [True, False])
def test_a_loop_comes_back_to_what_was_drawn_for_its_first_scene(scenes):
    texts = ["a {red|green|blue|yellow|pink} apple", "a __animals__ in the {sun|rain}"]
    for seed in range(8):
        recipe = load(texts if scenes else {"story": texts}, loop=True, seed=seed)
        first, back, second = [each.text for each in recipe.prompts]
        assert first == back
        assert first in {f"a {color} apple" for color in ("red", "green", "blue", "yellow", "pink")}
        assert "{" not in second
        assert "__" not in second


def test_a_loop_ends_at_the_first_keyframes_of_its_first_scene():
    loss = {"type": "symmetry", "weight": {"100%": 3, "0%": 0.5}}
    camera = {"type": "camera", "zoom": {0: 1, "100%": 1.5, "ease": "cosine"}}
    scenes = [
        {"seconds": 1, "prompts": ["a"], "losses": [loss], "edits": [camera]},
        {"seconds": 3, "prompts": ["b"]},
    ]
    recipe = load(scenes, loop=True)
    end = Moment(recipe.steps - 1, recipe.steps)
    first, last = recipe.losses[-2].weight, recipe.losses[-1].weight
    assert first.value(Moment(0, recipe.steps)) == 0.5
    assert last.value(end) == pytest.approx(0.5)
    assert (recipe.edits[0].zoom.constant, recipe.edits[1].zoom.constant) == (None, 1)
    again = pixforge.load_recipe(yaml.safe_load(recipe.resolved_yaml()))
    assert again.losses == recipe.losses


def test_percentages_of_a_scene_end_with_it(complaint):
    loss = "{type: symmetry, weight: {0%: 0, 150%: 1}}"
    found = complaint(f"scenes:\n- prompts: [a]\n  losses: [{loss}]\n- b\n")
    assert found.startswith("recipe.yaml:3: scenes[0].losses[0].weight")
    assert "150% is beyond the end of the run" in found


@pytest.mark.parametrize("scenes", [["a frog:2 | a cat", "a dog"], {"story": ["a frog:2 | a cat", "a dog"]}])
def test_short_forms_of_prompts_are_read_in_scenes_and_stories(scenes):
    recipe = load(scenes)
    assert weights(recipe, 0) == {"a frog": 2, "a cat": 1, "a dog": 0}
    if isinstance(scenes, dict):
        recipe = load({**scenes, "prefix": "see ", "suffix": "!"})
        assert weights(recipe, 0) == {"see a frog!": 2, "see a cat!": 1, "see a dog!": 0}


def test_a_mistake_in_a_story_is_told_where_it_stands(complaint):
    assert complaint("scenes:\n  story:\n  - a\n  - b |\n").startswith(
        "recipe.yaml:4: scenes.story[1]: nothing stands beside a |"
    )


def test_a_bare_scene_opens_up():
    recipe = pixforge.load_recipe({"film": FILM, "scenes": ["a", "b"], "seed": 1}, {"scenes.1.seconds": 2})
    assert recipe.film.count(recipe.steps) == 60


def test_a_way_with_a_share_leads_back_once():
    way = {"type": "travel", "stops": [1, 2], "share": 0.5, "loop": True}
    fields = {"prompts": ["a"], "film": FILM, "steps": 100, "seed": 1}
    recipe = pixforge.load_recipe({**fields, "edits": [way]})
    assert [each.type for each in recipe.edits] == ["travel", "return"]
    again = pixforge.load_recipe(yaml.safe_load(recipe.resolved_yaml()))
    assert [each.type for each in again.edits] == ["travel", "return"]
    whole = pixforge.load_recipe({**fields, "edits": [{**way, "share": 1}]})
    assert [each.type for each in whole.edits] == ["travel"]


def test_an_echo_longer_than_the_last_scene_is_worth_a_warning(caplog):
    echo = {"type": "feedback", "delay": 30}
    load([{"seconds": 1, "prompts": ["a"]}, {"seconds": 1, "prompts": ["b"]}], loop=True, edits=[echo])
    assert "the echo of 30 frames is longer than the way back of 10" in caplog.text
