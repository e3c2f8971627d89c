"""The film strip: scenes and keyframes are views of the text, and what is dragged changes it."""

import json

import pytest
import yaml
from pixforge_studio.strip import put, strip

import pixforge

TOKEN = "0123456789abcdef-secret"
TEXT = """\
# a film
film: {fps: 12}
scenes:
- {seconds: 2, prompts: [a red apple]}  # first
- a green frog
- seconds: 3
  fade: 1.5
  prompts:
  - {text: a fox, weight: {0%: 0, 100%: 2, ease: cosine}}
losses:
- type: smoothness
  weight:
    0: 1
    50: .5
- symmetry
"""


@pytest.fixture(scope="module")
def schema():
    return json.loads(pixforge.schema_text())


def test_scenes_and_keyframes_of_a_text(schema):
    found = strip(TEXT, schema)
    assert [(each["seconds"], each["fade"], each["text"]) for each in found["scenes"]] == [
        (2, 0, "a red apple"),
        (4, 0, "a green frog"),
        (3, 1.5, "a fox"),
    ]
    first, second = found["curves"]
    assert (first["path"], first["ease"]) == (("scenes", 2, "prompts", 0, "weight"), "cosine")
    assert first["keys"] == [{"at": 0, "percent": True, "value": 0}, {"at": 100, "percent": True, "value": 2}]
    assert second["keys"][1] == {"at": 50, "percent": False, "value": 0.5}
    paths = [each["path"] for each in found["flat"]]
    assert ("scenes", 0, "prompts", 0, "weight") in paths
    assert ("losses", 0, "weight") not in paths


@pytest.mark.parametrize(
    ("place", "value", "there"),
    [
        (["scenes", 0, "seconds"], 5, lambda found: found["scenes"][0]["seconds"] == 5),
        (["scenes", 0, "fade"], 1, lambda found: found["scenes"][0]["fade"] == 1),
        (["scenes", 3], "a bird", lambda found: found["scenes"][3] == "a bird"),
        (
            ["losses", 0, "weight"],
            {"0%": 1, "100%": 0},
            lambda found: found["losses"][0]["weight"] == {"0%": 1, "100%": 0},
        ),
        (["losses", 1, "weight"], 2, lambda found: found["losses"][1] == {"type": "symmetry", "weight": 2}),
        (
            ["scenes", 0, "prompts", 0, "weight"],
            2,
            lambda found: found["scenes"][0]["prompts"] == [{"text": "a red apple", "weight": 2}],
        ),
        (["scenes", 2, "prompts", 0, "stop"], 1, lambda found: found["scenes"][2]["prompts"][0]["stop"] == 1),
        (["film", "steps_per_frame"], 2, lambda found: found["film"] == {"fps": 12, "steps_per_frame": 2}),
        (["loop"], True, lambda found: found["loop"] is True),
    ],
)
def test_a_value_is_put_at_its_place_and_comments_stay(place, value, there):
    new = put(TEXT, place, value)
    assert there(yaml.safe_load(new))
    assert "# a film" in new
    assert "# first" in new


@pytest.mark.parametrize(
    ("text", "place", "value", "new"),
    [
        ("prompts:\n- text: |\n    a b\nsteps: 5\n", ["prompts", 0, "weight"], 2, "prompts:\n- text: |\n    a b\n  weight: 2\nsteps: 5\n"),
        ("prompts:\n- text: |+\n    a b\n\nsteps: 5\n", ["prompts", 0, "weight"], 2, "prompts:\n- text: |+\n    a b\n\n  weight: 2\nsteps: 5\n"),
        ("optimizer:\n  learning_rate:\nsteps: 5\n", ["optimizer", "learning_rate"], 2, "optimizer:\n  learning_rate: 2\nsteps: 5\n"),
        ("film:\nsteps: 5\n", ["film", "fps"], 12, "film: {fps: 12}\nsteps: 5\n"),
        ("scenes: [\n  a,  # one\n  b  # two\n]\n", ["scenes", 2], "c", "scenes: [\n  a,  # one\n  b, c  # two\n]\n"),
        ("scenes: [a, b,]\n", ["scenes", 2], "c", "scenes: [a, b, c,]\n"),
        ("scenes: [  # none\n]\n", ["scenes", 0], "c", "scenes: [  # none\nc]\n"),
        ("scenes:\n- a  # one\nsteps: 5\n", ["scenes", 1], "b", "scenes:\n- a  # one\n- b\nsteps: 5\n"),
        ("keep: &x a\nscenes: [*x]\n", ["scenes", 0], "b", "keep: &x a\nscenes: [b]\n"),
    ],
)  # fmt: skip
def test_the_lines_and_comments_beside_a_change_stay(text, place, value, new):
    assert put(text, place, value) == new


@pytest.mark.parametrize("place", [["keep"], ["losses", 0, "weight"]])
def test_what_other_lines_refer_to_is_not_changed(place):
    with pytest.raises(ValueError, match="change it in the text"):
        put("keep: &x {type: smoothness}\nlosses: [*x]\n", place, 2)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (TEXT, []),
        (TEXT, ["nothing", "x"]),
        (TEXT, ["scenes", 9]),
        (TEXT, ["scenes", -1]),
        ("- a: [", ["a"]),
        ("", ["a"]),
    ],
)
def test_where_nothing_can_be_put(text, place):
    with pytest.raises(ValueError, match="no such place"):
        put(text, place, 1)


@pytest.mark.parametrize("path", [None, "a", [{}], [1.5], [None]])
def test_a_place_must_be_one(studio, path):
    assert studio.ask("/api/v1/recipes/put", {"text": TEXT, "path": path, "value": 1})[0] == 422
    assert studio.ask("/api/v1/recipes/put", {"text": TEXT, "path": ["loop"]})[0] == 422
    assert studio.ask("/api/v1/recipes/strip", {"text": "#" * (2**18 + 1)})[0] == 413


@pytest.mark.parametrize(
    "text",
    ["", "- a", "a: &a [*a]", "[" * 500, "scenes: 5", "scenes: {story: [a]}", "losses: [{weight: {x: 1}}]"],
)
def test_other_texts_have_no_strip(schema, text):
    found = strip(text, schema)
    assert (found["scenes"], found["curves"]) == ([], [])


def opened(browser, studio, text, width=1280):
    """The page with the film strip of a text."""
    browser.size(width, 1900)
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=f"http://127.0.0.1:{studio.port}/?token={TOKEN}#make")
    browser.until("document.querySelector('#verdict')?.textContent === 'valid'")
    browser.run(f"setText({json.dumps(text)}); document.querySelector('#film').open = true; check()")


def test_a_long_prompt_stays_whole_and_keyframes_come_at_whole_steps(browser, studio):
    prompt = "a fox " + "in the snow " * 30 + "at night"
    scenes = f"film: {{fps: 12}}\nscenes:\n- {prompt}\n"
    opened(browser, studio, scenes)
    browser.until("document.querySelectorAll('.scene').length === 1")
    browser.run("document.querySelector('[data-spot=\"scene 0\"]').focus()")
    browser.press("ArrowRight", "ArrowRight", 39)
    browser.until("editor.text.includes('4.25')")
    browser.run("document.querySelector('#add-scene').click()")
    browser.until("document.querySelectorAll('.scene').length === 2")
    found = yaml.safe_load(browser.run("editor.text"))["scenes"]
    assert [each["prompts"] for each in found] == [[prompt], [prompt]]
    curve = "prompts: [a fox]\nsteps: 201\nlosses:\n- {type: smoothness, weight: {0: 1, 100: 2}}\n"
    browser.run(f"setText({json.dumps(curve)}); check()")
    browser.until("strip.curves[0]?.keys.length === 2 && document.querySelector('.curve circle')")
    at = "(b => ({clientX: b.left + b.width / 3, clientY: b.top + b.height / 2, bubbles: true}))(svg.getBoundingClientRect())"
    browser.run(
        f"(svg => svg.dispatchEvent(new MouseEvent('dblclick', {at})))(document.querySelector('.curve svg'))"
    )
    browser.until(f"editor.text !== {json.dumps(curve)}")
    keys = yaml.safe_load(browser.run("editor.text"))["losses"][0]["weight"]
    assert len(keys) == 3
    assert all(float(key).is_integer() for key in keys)
    browser.until("document.querySelector('#verdict').textContent === 'valid'")


@pytest.mark.parametrize("width", [1280, 390])
def test_scenes_and_points_are_dragged(browser, studio, width):
    opened(browser, studio, TEXT, width)
    browser.until(
        "document.querySelectorAll('.scene').length === 3 && document.querySelectorAll('.curve circle').length === 4"
    )
    center = "(b => [b.left + b.width / 2, b.top + b.height / 2])(document.querySelector('{}').getBoundingClientRect())"
    x, y = browser.run(center.format('[data-spot="scene 0"]'))
    wide = browser.run("document.querySelector('#strip').clientWidth")
    browser.drag((x, y), (x + wide / 18, y), (x + wide / 9, y))
    browser.until(
        "editor.text.includes('{seconds: 3.0, prompts: [a red apple]}') || editor.text.includes('{seconds: 3, prompts: [a red apple]}')"
    )
    x, y = browser.run(center.format('[data-spot="curve 0 0"]'))
    browser.drag((x, y), (x + 20, y - 20), (x + 40, y - 40))
    browser.until(
        "strip.curves[0]?.keys[0].value > 0.5 && strip.curves[0].keys[0].value < 1.2 && strip.curves[0].keys[0].at > 2"
    )
    browser.run("document.querySelector('[data-spot=\"curve 0 1\"]').focus()")
    browser.press("ArrowDown", "ArrowDown", 40)
    browser.until("strip.curves[0].keys.at(-1).value < 2")
    browser.until("document.activeElement.dataset.spot === 'curve 0 1'")
    browser.run("document.querySelector('#add-scene').click()")
    browser.until("document.querySelectorAll('.scene').length === 4")
    browser.run(
        "document.querySelector('#flat').selectedIndex = 0; document.querySelector('#add-curve').click()"
    )
    browser.until(
        "document.querySelectorAll('.curve').length === 3 && document.querySelector('#verdict').textContent === 'valid'"
    )
    assert "# first" in browser.run("editor.text")
