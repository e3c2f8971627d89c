"""Short forms of prompts: `text:weight:stop | text`, mappings on the command line, files with lists."""

from pathlib import Path

import pytest

from pixforge.cli.options import prompt_of
from pixforge.contracts.moment import Moment
from pixforge.errors import RecipeError
from pixforge.recipe import load_recipe


def said(recipe):
    """Text, weight and stop of each prompt."""
    return [
        (each.text, each.weight.value(Moment(0, 1)), each.stop and each.stop.value(Moment(0, 1)))
        for each in recipe.prompts
    ]


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("a red heart", [("a red heart", 1, None)]),
        ("a red heart:2|a frog:-0.5", [("a red heart", 2, None), ("a frog", -0.5, None)]),
        ("a heart:1:.5 | white", [("a heart", 1, 0.5), ("white", 1, None)]),
        ("a heart:-1:-1", [("a heart", -1, -1)]),
        ("a heart:1:-inf", [("a heart", 1, None)]),
        ("style: oil paint", [("style: oil paint", 1, None)]),
        ("a {red|blue heart", [("a {red", 1, None), ("blue heart", 1, None)]),
    ],
)
def test_the_short_form_of_peers(text, prompts, caplog):
    assert said(load_recipe({"prompts": text})) == prompts
    assert not caplog.text


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("at 12:30", "'at 12:30' is read as a text without a weight, since a digit stands before the colon"),
        ("16:9:2", "a digit stands before the colon"),
        (":2", "nothing stands before the colon; {text: ..., weight: 2} means a weight"),
        (r"C:\x.jpg", r"'C:\x.jpg' is read as a text; {image: C:\x.jpg} means the picture"),
        ("https://example.com/x.png", "is read as a text"),
    ],
)
def test_what_is_not_clear_stays_a_text_with_a_warning(text, warning, caplog):
    assert said(load_recipe({"prompts": [text]})) == [(text, 1, None)]
    assert warning in caplog.text
    assert len(caplog.records) == 1


def test_a_mapping_is_taken_as_it_is(caplog):
    assert said(load_recipe({"prompts": [{"text": "a | b:2"}]})) == [("a | b:2", 1, None)]
    assert not caplog.text


def test_paths_of_overrides_count_the_prompts_that_were_found():
    recipe = load_recipe(
        {"prompts": "a | b"}, {"prompts.1.weight": -0.5, "prompts.0": "c:3"}
    )  # fmt: skip
    assert said(recipe) == [("c", 3, None), ("b", -0.5, None)]


def test_mistakes_keep_their_line(complaint):
    text = "prompts:\n  - a | b | c\n  - {text: x, wieght: 2}\n"
    assert complaint(text).startswith("recipe.yaml:3: prompts[3].wieght: ")
    assert complaint("steps: 1\nprompts:\n  - a ||b\n").startswith(
        "recipe.yaml:3: prompts[0]: nothing stands"
    )
    assert "stop is a distance" in complaint("prompts: ['a:1:9']\n")


def test_a_file_has_a_prompt_on_each_line(write, tmp_path):
    (tmp_path / "list.txt").write_text("# hearts\na red heart:2\n\na frog | a cat:3\n")
    recipe = load_recipe(write("prompts:\n  - a sun\n  - {file: list.txt, weight: 0.5}\n"))
    assert said(recipe) == [
        ("a sun", 1, None),
        ("a red heart", 2, None),
        ("a frog", 0.5, None),
        ("a cat", 3, None),
    ]
    assert "list.txt" not in recipe.resolved_yaml()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "list.txt: is not text in UTF-8"),
        (b"# nothing\n", "list.txt: there is no prompt in it"),
        (b"a\n" * 1001, "a list of prompts has at most 1000 lines and 1 MiB"),
        (b"a" * (2**20 + 1), "a list of prompts has at most 1000 lines and 1 MiB"),
        (None, "there is no file list.txt"),
    ],
)
def test_hostile_files_of_prompts(content, message, complaint, tmp_path):
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    found = complaint("prompts:\n  - {file: list.txt}\n")
    assert found.startswith("recipe.yaml:2: prompts[0]: ")
    assert message in found


def test_recipes_of_strangers_read_no_files_of_prompts(write, tmp_path):
    (tmp_path / "list.txt").write_text("secret\n")
    with pytest.raises(RecipeError, match="may not read a file of prompts"):
        load_recipe(write("prompts: [{file: list.txt}]\n"), trust="none")


@pytest.fixture
def photos(tmp_path):
    """A folder of three pictures, a hidden one, a text and another folder."""
    folder = tmp_path / "photos"
    (folder / "more.png").mkdir(parents=True)
    for name in ("b.png", "a.png", "c.JPG", ".d.png", "notes.txt"):
        (folder / name).write_bytes(b"x")
    return folder


def shown(recipe):
    """Picture and weight of each prompt at the begin of a run."""
    return [(each.image, each.weight.value(Moment(0, 10))) for each in recipe.prompts]


@pytest.mark.usefixtures("photos")
def test_a_folder_is_a_prompt_for_each_picture(write):
    recipe = load_recipe(
        write("prompts:\n  - {image: photos/a.png}\n  - {image: photos, weight: 1.5, layout: true}\n")
    )
    assert shown(recipe) == [
        ("photos/a.png", 1), ("photos/a.png", 0.5), ("photos/b.png", 0.5), ("photos/c.JPG", 0.5),
    ]  # fmt: skip
    assert [each.layout for each in recipe.prompts] == [False, True, True, True]
    again = load_recipe(write(recipe.resolved_yaml(), "again.yaml"))
    assert [Path(name).name for name, _ in shown(again)] == ["a.png", "a.png", "b.png", "c.JPG"]


@pytest.mark.usefixtures("photos")
def test_a_pattern_is_a_prompt_for_each_picture_of_its_names(write, tmp_path):
    recipe = load_recipe(
        write("prompts: [{image: 'photos/[ab]*', weight: {0: -1, 100%: 0, ease: cosine}}]\n")
    )
    assert shown(recipe) == [("photos/a.png", -0.5), ("photos/b.png", -0.5)]
    assert recipe.prompts[0].weight.ease == "cosine"
    (tmp_path / "[x].png").write_bytes(b"x")
    assert shown(load_recipe(write("prompts: [{image: '[x].png'}]\n"))) == [("[x].png", 1)]


@pytest.mark.usefixtures("photos")
def test_folders_of_a_recipe_in_another_folder(write, tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "house.yaml").write_text("prompts: [{image: ../photos}, {image: '../photos/a*'}]\n")
    recipe = load_recipe(write("extends: parts/house.yaml\n"))
    assert [name for name, _ in shown(recipe)] == [
        "photos/a.png", "photos/b.png", "photos/c.JPG", "photos/a.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("{image: photos/*.webp}", "photos/*.webp: there is no picture of that name (.png, "),
        ("{image: photos/more.png}", "photos/more.png: there is no picture"),
        ("{image: none/*}", "there is no folder "),
        ("{image: '*/a.png'}", "may stand in the names of files, not of folders"),
        ("{image: '**/*'}", "may stand in the names of files, not of folders"),
        ("{image: photos, weight: {wave: sine, period: 2s}}", "the pictures of a folder share a number"),
        ("{image: photos, weight: true}", "weight true: the pictures"),
        ("{image: 'photos/\\0*'}", "photos"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_folders_that_are_no_prompts(prompt, message, complaint):
    found = complaint(f"steps: 1\nprompts:\n  - {prompt}\n")
    assert found.startswith("recipe.yaml:3: prompts[0]")
    assert message in found
    assert "\n" not in found


def test_a_folder_has_a_limit_and_strangers_read_none(photos, complaint, write):
    for index in range(62):
        (photos / f"x{index}.png").write_bytes(b"x")
    assert "stands for 65 pictures, the limit is 64" in complaint("prompts: [{image: photos}]\n")
    with pytest.raises(RecipeError, match="may not read a folder"):
        load_recipe(write("prompts: [{image: photos}]\n"), trust="none")


def test_mappings_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert prompt_of("{text: a heart, weight: 2}") == {"text": "a heart", "weight": 2}
    assert prompt_of("{image: 'photos/*.png'}") == {"image": str(tmp_path / "photos" / "*.png")}
    assert prompt_of("{image: x.png}") == {"image": str(tmp_path / "x.png")}
    (tmp_path / "mine.json").write_text("[1, 2]")
    assert prompt_of("{direction: mine.json}") == {"direction": str(tmp_path / "mine.json")}
    assert prompt_of("{direction: textoff}") == {"direction": "textoff"}
    assert prompt_of("{video: v.mp4, weight: {csv: w.csv}}") == {
        "video": str(tmp_path / "v.mp4"),
        "weight": {"csv": str(tmp_path / "w.csv")},
    }
    assert prompt_of("{text: x.png, where: [left, {not: {image: mask.png}}]}") == {
        "text": "x.png",
        "where": ["left", {"not": {"image": str(tmp_path / "mask.png")}}],
    }
    assert prompt_of("{a|b}") == "{a|b}"
    assert prompt_of("{a|b: c}:2") == "{a|b: c}:2"
    with pytest.raises(RecipeError, match=r"-p \{text: a: b\}\}: not valid YAML"):
        prompt_of("{text: a: b}}")


def test_scenes_have_short_forms_too(write, caplog):
    text = "film: {fps: 2}\nscenes:\n  - {seconds: 1, prompts: ['a sun:2 | {a|a} moon']}\n  - C:\\x.png | a star\n"
    recipe = load_recipe(write(text))
    assert [each.text for each in recipe.prompts] == ["a sun", "a moon", "C:\\x.png", "a star"]
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("ending", ["nan", "inf", "-inf", " INF", "1e3", "-.5E-2"])
def test_a_weight_that_is_no_number_is_no_text(complaint, ending):
    assert f"a weight is a number such as 2 or -0.5, not {ending.strip()}" in complaint(
        f"prompts: ['a heart:{ending}']\n"
    )
    assert load_recipe({"prompts": [{"text": f"a heart:{ending}"}]}).prompts[0].text == f"a heart:{ending}"
