"""The editor's help: what could stand at a place, and what a word means."""

import json

import pytest
from pixforge_studio.completion import about, from_units, options
from pixforge_studio.recipes import checked

import pixforge


@pytest.fixture(scope="module")
def schema():
    return json.loads(pixforge.schema_text())


def labels(text, schema):
    """Of what is offered where the bar stands."""
    offset = text.index("|")
    return [each["label"] for each in options(text.replace("|", ""), offset, schema)["options"]]


@pytest.mark.parametrize(
    ("text", "some", "none"),
    [
        ("|", {"prompts", "size"}, {"vqgan"}),
        ("prompts: [a cat]\nopt|", {"optimizer"}, {"prompts"}),
        ("generator: |", {"vqgan", "pixels"}, {"size"}),
        ("generator:\n  type: |", {"vqgan", "pixels"}, {"prompts"}),
        ("generator:\n  type: vqgan\n  |", {"quantization"}, {"type", "palettes"}),
        ("generator: {type: vqgan, quantization: |", {"gumbel", "none"}, {"vqgan"}),
        ("losses:\n- |", {"smoothness", "type"}, {"vqgan"}),
        ("losses: [smoo|]", {"smoothness"}, {"prompts"}),
        ("compile: |\nseed: 1", {"true", "false"}, {"size"}),
        ("ste|: 3\nseed: 1", {"steps"}, {"seed"}),
        ("a: [\nb: {|", set(), {"prompts"}),
    ],
)
def test_what_is_offered(schema, text, some, none):
    found = set(labels(text, schema))
    assert some <= found
    assert not none & found


def test_a_key_brings_its_colon_and_only_one(schema):
    first = {each["label"]: each["apply"] for each in options("st", 2, schema)["options"]}
    assert first["steps"] == "steps: "
    second = {each["label"]: each["apply"] for each in options("st: 3", 2, schema)["options"]}
    assert second["steps"] == "steps"


@pytest.mark.parametrize(
    ("text", "title", "said"),
    [
        ("st|eps: 3", "steps", "Updates of the picture"),
        ("generator: vq|gan", "vqgan", "VQGAN"),
        ("losses: [{type: smoo|thness}]", "smoothness", ""),
        ("prompts: [a c|at]", "prompts", "What the picture should show"),
        ("prompts: [a cat]\n\n|\n", "", ""),
        ("a: [|", "", ""),
    ],
)
def test_what_a_word_means(schema, text, title, said):
    offset = text.index("|")
    found = about(text.replace("|", ""), offset, schema)
    assert found["title"] == title
    assert said in found["text"]
    assert not title or found["text"]


def test_words_that_the_embedded_model_does_not_know(tmp_path):
    text = "prompts:\n- a red \N{GRINNING FACE} zorgblat\nscenes: [{seconds: 2, prompts: [glorp]}]\nfilm: {fps: 12}\n"
    found = checked(text, tmp_path)["words"]
    assert [each["word"] for each in found] == ["zorgblat", "glorp"]
    units = text.encode("utf-16-le")
    assert [units[2 * each["from"] : 2 * each["to"]].decode("utf-16-le") for each in found] == [
        "zorgblat",
        "glorp",
    ]
    assert from_units(text, found[0]["from"]) == text.index("zorgblat")
    other = text + "perceptors: [{type: open_clip, model: ViT-B-32}]\n"
    assert checked(other, tmp_path)["words"] == []


def test_hostile_texts_are_given_up(schema):
    for text in ("[" * 500, "a" * 10**6, "&a [*a, *a]", "\x00"):
        assert options(text, len(text), schema)["options"] is not None
        assert about(text, 0, schema)["text"] == ""
