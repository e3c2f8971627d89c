"""Classification: against open_clip on the same weights, and what a user sees."""

import csv
import io
import json
import math

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from search_pictures import noise

import pixforge
from pixforge.errors import ImageError, InputError
from pixforge.models.files import quiet
from pixforge.search.labels import embed_labels, labels_of, templates_of
from pixforge.search.perceptors import open_perceptors, recipe_of

SEES = ("--recipe", "fake.yaml", "--templates", "none")  # the fake perceptor knows bare colors only
LABELS = ["red heart", "the night sky", "teapot"]


@pytest.fixture
def theirs(tiny_folder):
    with quiet():
        model = open_clip.create_model(f"local-dir:{tiny_folder}").eval()
        return model, open_clip.get_tokenizer(f"local-dir:{tiny_folder}")


@pytest.mark.parametrize("templates", ["simple", "openai", "none"])
def test_labels_are_embedded_as_by_open_clips_zero_shot_classifier(tiny_folder, theirs, templates):
    model, tokenizer = theirs
    functions = {
        "simple": open_clip.SIMPLE_IMAGENET_TEMPLATES,
        "openai": open_clip.OPENAI_IMAGENET_TEMPLATES,
        "none": ["{}"],
    }
    with quiet():
        expected = open_clip.build_zero_shot_classifier(model, tokenizer, LABELS, functions[templates])
    looker = open_perceptors(recipe_of(f"local-dir:{tiny_folder}"))[0]
    # A small batch, so that the labels do not fit into one.
    found = embed_labels(looker.perceptor, LABELS, templates_of(templates), batch=100)
    assert found.shape == expected.T.shape == (3, 24)
    torch.testing.assert_close(found, expected.T, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(32, 32), (90, 40), (33, 71)])
def test_probabilities_are_those_of_open_clips_pipeline(tiny_folder, theirs, tmp_path, size):
    model, tokenizer = theirs
    noise(size).save(tmp_path / "noise.png")
    with quiet(), torch.no_grad():
        text = open_clip.build_zero_shot_classifier(
            model, tokenizer, LABELS, open_clip.SIMPLE_IMAGENET_TEMPLATES
        )
        mean, std = model.visual.preprocess_cfg["mean"], model.visual.preprocess_cfg["std"]
        transform = open_clip.image_transform(32, is_train=False, mean=mean, std=std)
        picture = transform(Image.open(tmp_path / "noise.png"))[None]
        seen = model.encode_image(picture, normalize=True)
        expected = (model.logit_scale.exp() * seen @ text).softmax(dim=-1)[0].numpy()
    found = pixforge.classify(tmp_path / "noise.png", LABELS, perceptors=f"local-dir:{tiny_folder}")[0]
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-4)
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_the_embedded_model_knows_its_own_temperature():
    looker = open_perceptors(recipe_of("embedded"))[0]
    assert looker.perceptor.logit_scale == pytest.approx(40, rel=0.8)
    assert looker.perceptor.logit_scale != 100


def test_several_perceptors_are_averaged_by_their_weights(tiny_folder, tmp_path):
    noise((32, 32)).save(tmp_path / "noise.png")
    tiny = {"type": "open_clip", "model": f"local-dir:{tiny_folder}"}
    one, two = (
        pixforge.classify(tmp_path / "noise.png", LABELS, perceptors=each)[0].probabilities
        for each in (tiny, "embedded")
    )
    both = pixforge.classify(tmp_path / "noise.png", LABELS, perceptors=[{**tiny, "weight": 3}, "embedded"])[
        0
    ]
    np.testing.assert_allclose(both.probabilities, 0.75 * one + 0.25 * two, atol=1e-6)
    assert np.abs(one - two).max() > 0.01


def test_top_is_sorted_and_a_picture_may_be_in_memory(colors):
    found = pixforge.classify(
        Image.new("RGB", (9, 9), "red"), "blue, red, green", perceptors=colors, templates="none"
    )[0]
    assert found.label == "red"
    top = found.top(2)
    assert top[0][0] == "red"
    assert top[0][1] > top[1][1]
    assert len(found.top(50)) == 3


def test_a_table(cli, photos):
    args = ("classify", photos, *SEES, "--labels", "red,green,blue,white", "--top", 1)
    status, out, err = cli(*args)
    assert (status, err) == (0, "")
    found = {line.split()[0].rsplit("/", 1)[-1]: line.split()[1] for line in out.splitlines()}
    assert found == {f"{color}.png": color for color in ("red", "green", "blue", "white")}


def test_json_and_csv_say_the_same(cli, photos):
    args = ("classify", photos / "red.png", photos / "blue.png", *SEES, "--labels")
    lines = [json.loads(line) for line in cli(*args, "red,blue,green", "--json")[1].splitlines()]
    rows = list(csv.DictReader(io.StringIO(cli(*args, "red,blue,green", "--csv")[1])))
    assert [line["labels"][0]["label"] for line in lines] == ["red", "blue"]
    assert math.isclose(sum(each["probability"] for each in lines[0]["labels"]), 1, abs_tol=1e-5)
    assert [(row["picture"], row["label"]) for row in rows if row["place"] == "1"] == [
        (str(photos / "red.png"), "red"),
        (str(photos / "blue.png"), "blue"),
    ]
    assert float(rows[0]["probability"]) == lines[0]["labels"][0]["probability"]


def test_labels_and_templates_from_files(cli, photos):
    (photos.parent / "labels.txt").write_text("# colors\nred\n\nblue\n")
    (photos.parent / "templates.txt").write_text("{}\n")
    args = ("--labels-file", "labels.txt", "--templates", "templates.txt", "--recipe", "fake.yaml")
    status, out, _ = cli("classify", photos / "red.png", *args, "--top", "1", "--json")
    assert status == 0
    assert json.loads(out)["labels"][0]["label"] == "red"


def test_imagenets_thousand_names():
    names = labels_of("imagenet")
    assert len(names) == 1000
    assert {"tench", "goldfish", "toilet paper"} <= set(names)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("", "--labels: the value is empty"),
        (" ", "there is none"),
        ("cat", "'cat' alone is certain"),
        ("cat, dog,cat", "'cat' comes twice"),
        ("cat,,dog", "number 2 is empty"),
    ],
)
def test_labels_that_make_no_sense(cli, photos, labels, message):
    status, out, err = cli("classify", photos, "--labels", labels)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "there is none"), (b"one\n", "alone is certain"), (b"\xff\xfe\x00", "is no text in UTF-8")],
)
def test_label_files_that_make_no_sense(cli, photos, content, message):
    (photos.parent / "labels.txt").write_bytes(content)
    status, _, err = cli("classify", photos, "--labels-file", "labels.txt")
    assert status == 2
    assert "labels.txt" in err
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--templates", "none.txt"], "there is no file none.txt"),
        (["--templates", "fake.yaml"], "must have {} once"),
        (["--top", "0"], "--top must be at least 1"),
        (["--batch", "0"], "batch: must be at least 1"),
        (["--model", "embeded"], "unknown clip model 'embeded'"),
        (["--model", "embedded", "--recipe", "fake.yaml"], "exclude each other"),
        (["nowhere"], "nowhere: there is no such file or folder"),
    ],
)
def test_other_mistakes(cli, photos, arguments, message):
    words = [each for each in arguments if each == "nowhere"]
    rest = [each for each in arguments if each != "nowhere"]
    status, out, err = cli("classify", photos, *words, "--labels", "red,blue", *rest)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_neither_labels_nor_a_file(cli, photos):
    assert cli("classify", photos)[0] == 2


def test_broken_pictures_are_named_and_the_others_go_on(cli, photos):
    (photos / "bad.png").write_bytes(b"no picture")
    status, out, err = cli("classify", photos, "--recipe", "fake.yaml", "--labels", "red,blue", "--json")
    assert status == 0
    assert len(out.splitlines()) == 4
    assert err.startswith(f"skipped {photos / 'bad.png'}: is not a picture that can be read")


def test_nothing_but_broken_pictures(cli, photos):
    (photos.parent / "bad.png").write_bytes(b"no picture")
    status, out, err = cli("classify", "bad.png", "--recipe", "fake.yaml", "--labels", "red,blue")
    assert (status, out) == (2, "")
    assert "none of 1 pictures could be read" in err


def test_from_python_a_broken_picture_raises_unless_somebody_listens(colors, photos):
    (photos / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"bad\.png"):
        pixforge.classify(photos / "bad.png", ["red", "blue"], perceptors=colors)
    heard = []
    found = pixforge.classify(
        [photos / "bad.png", photos / "red.png"],
        ["red", "blue"],
        perceptors=colors,
        broken=lambda path, error: heard.append(path),
    )
    assert heard == [photos / "bad.png"]
    assert [each.picture for each in found] == [photos / "red.png"]


def test_an_empty_folder(cli, photos):
    (photos.parent / "empty").mkdir()
    status, _, err = cli("classify", "empty", "--labels", "a,b")
    assert status == 2
    assert "there is no picture in this folder" in err


def test_weights_that_make_no_mean():
    fading = [{"type": "open_clip", "model": "embedded", "weight": {"0%": 1, "100%": 0}}]
    with pytest.raises(InputError, match="one must be above 0"):
        pixforge.classify(Image.new("RGB", (9, 9)), ["a", "b"], perceptors=fading)
