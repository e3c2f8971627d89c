"""Ranking: the same numbers as a run's own score, the order, and the copies."""

import json

import pytest
import torch
from PIL import Image
from search_pictures import noise

import pixforge
from pixforge.engine.build import build
from pixforge.engine.prompts import whole
from pixforge.errors import InputError
from pixforge.media.images import read_image, to_tensor
from pixforge.runs.score import held_out_score
from pixforge.search.perceptors import open_judge, open_perceptors, recipe_of
from pixforge.search.pictures import read_fitted

FAKE = ("--recipe", "fake.yaml", "--by", "fake")


def test_the_judges_score_is_the_held_out_score_of_a_run(tmp_path):
    recipe = pixforge.load_recipe(
        {
            "prompts": ["a red heart", {"text": "night", "weight": -0.5}],
            "steps": 2,
            "size": [48, 32],
            "seed": 1,
            "init": "noise",
        }
    )
    result = pixforge.render(recipe, tmp_path / "out")
    ranked = pixforge.rank(tmp_path / "out" / "image.png", perceptors=recipe)
    assert list(ranked[0].scores) == ["embedded", "judge"]
    assert ranked[0].scores["judge"] == pytest.approx(result.manifest["held_out_score"], abs=0.01)


def test_what_is_measured_is_exact_whatever_the_run_computed_in(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    fields = {"prompts": ["a red heart"], "steps": 0, "init": "noise", "size": [64, 64], "seed": 1}
    sessions = [build(pixforge.load_recipe({**fields, "precision": each})) for each in ("bf16", "fp32")]
    pictures = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    half, full = (held_out_score(session, pictures)["held_out_score"] for session in sessions)
    assert half == full
    for asked, used in (("auto", torch.float32), ("bf16", torch.bfloat16)):
        recipe = recipe_of("embedded", ["a red heart"], precision=asked)
        assert open_perceptors(recipe)[0].perceptor.context.dtype == used
        assert open_judge(recipe).perceptor.context.dtype == torch.float32


@pytest.mark.parametrize("size", [(50, 50), (90, 40), (33, 71), (301, 222)])
def test_padded_pictures_look_as_they_do_to_the_engine(tmp_path, size):
    noise(size).save(tmp_path / "noise.png")
    ours = torch.from_numpy(read_fitted(tmp_path / "noise.png", [32], "pad")[0].copy()).permute(2, 0, 1) / 255
    theirs = whole(to_tensor(read_image(tmp_path / "noise.png"))[None], 32)[0]
    assert (ours - theirs).abs().mean() < 0.01


def test_the_best_come_first(cli, photos):
    status, out, err = cli("rank", photos, "-p", "blue", *FAKE)
    assert (status, err) == (0, "")
    head, *rows = out.splitlines()
    assert head.split() == ["fake", "judge"]
    assert rows[0].endswith("blue.png")
    scores = [float(row.split()[1]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 4


def test_by_default_the_judge_sorts(cli, photos):
    lines = [json.loads(line) for line in cli("rank", photos, "-p", "a heart", "--json")[1].splitlines()]
    scores = [line["scores"]["judge"] for line in lines]
    assert scores == sorted(scores, reverse=True)
    assert [line["place"] for line in lines] == [1, 2, 3, 4]


def test_the_prompts_of_the_recipe_and_no_judge_beside_itself(cli, photos):
    assert cli("rank", photos, *FAKE)[1].splitlines()[1].endswith("red.png")
    assert cli("rank", photos, "-p", "red", "--model", "judge")[1].splitlines()[0].split() == ["judge"]


def test_a_transformer_that_draws_can_sort(cli, photos):
    def order(*more):
        status, out, err = cli("rank", photos, "--by", "tokens", "--recipe", "fake.yaml", "--json", *more)
        assert (status, err) == (0, "")
        lines = [json.loads(line) for line in out.splitlines()]
        scores = [line["scores"]["tokens"] for line in lines]
        assert scores == sorted(scores, reverse=True)
        return [line["picture"].rsplit("/", 1)[-1] for line in lines]

    assert order("-p", "a red square")[0] == "red.png"
    assert order("-p", "a blue square")[0] == "blue.png"
    away = pixforge.rank(
        [photos / "red.png", photos / "blue.png"], {"text": "a blue square", "weight": -1}, by="tokens"
    )
    assert away[-1].picture.name == "blue.png"
    with pytest.raises(InputError, match=r"prompts\[0\]: 'tokens' scores pictures for texts"):
        pixforge.rank(photos / "red.png", {"image": str(photos / "red.png")}, by="tokens")


def test_the_best_are_copied_in_order(cli, photos):
    assert cli("rank", photos, "-p", "blue", *FAKE, "--best", 2, "--copy-to", "best")[0] == 0
    copies = sorted(file.name for file in (photos.parent / "best").iterdir())
    assert copies[0] == "1-photos-blue.png"
    assert len(copies) == 2
    assert (photos.parent / "best" / copies[0]).read_bytes() == (photos / "blue.png").read_bytes()
    status, _, err = cli("rank", photos, "-p", "blue", *FAKE, "--copy-to", "best")
    assert status == 2
    assert "already holds files" in err


def test_a_sheet(cli, photos):
    assert cli("rank", photos, "-p", "blue", *FAKE, "--sheet", "sheet.jpg")[0] == 0
    with Image.open("sheet.jpg") as sheet:
        red, green, blue = sheet.getpixel((12 + 96, 120))
    assert blue > 200 > red + green


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["photos"], "what should the pictures show?"),
        (
            ["photos", "-p", "red", "--by", "me"],
            "there is no score 'me' to sort by; there are: embedded, judge, tokens",
        ),
        (["photos", "-p", "red", "--best", "0"], "--best must be at least 1"),
        (["photos", "-p", ""], "--prompt: the value is empty"),
        (["photos", "-p", " "], "the text is empty"),
        (["nowhere", "-p", "red"], "nowhere: there is no such file or folder"),
        (["photos", "-p", "red", "--copy-to", "fake.yaml"], "fake.yaml: is a file"),
    ],
)
def test_mistakes(cli, arguments, message):
    status, out, err = cli("rank", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_broken_pictures_are_left_out(cli, photos):
    (photos / "bad.png").write_bytes(b"no picture")
    status, out, err = cli("rank", photos, "-p", "red", *FAKE, "--json")
    assert status == 0
    assert len(out.splitlines()) == 4
    assert "skipped" in err
    assert cli("rank", photos / "bad.png", "-p", "red", *FAKE)[0] == 2
