"""The kinds of prompts: what each makes its target, and what it refuses."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from pixforge.builtin.prompts.image import ImagePrompt, ImagePromptConfig
from pixforge.builtin.prompts.labels import LabelsPrompt, LabelsPromptConfig
from pixforge.builtin.prompts.noise import NoisePrompt, NoisePromptConfig
from pixforge.builtin.prompts.vector import (
    DirectionPrompt,
    DirectionPromptConfig,
    EmbeddingPrompt,
    EmbeddingPromptConfig,
)
from pixforge.builtin.prompts.vectors import read_vectors
from pixforge.cli.main import main
from pixforge.engine.build import build
from pixforge.engine.prompts import make_prompts
from pixforge.errors import InputError, RecipeError
from pixforge.recipe import load_recipe
from pixforge.testing import FakeSight, check_component, make_context

D = 13  # of the fake perceptor


def test_labels_are_the_mean_of_their_phrasings():
    context = make_context()
    config = LabelsPromptConfig(labels="red", templates=["{}", "a {} thing"])
    found = LabelsPrompt(config, context).targets(FakeSight(context))
    red, gray = FakeSight(context).texts(["red", "a red thing"])
    assert torch.allclose(found, torch.nn.functional.normalize(red + gray, dim=0), atol=1e-6)
    assert len(LabelsPrompt(LabelsPromptConfig(labels="x"), make_context()).texts()) == 1 + 7


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ({"labels": " "}, "the label is empty"),
        ({"labels": "cat", "templates": ["a photo"]}, "a template has {} once"),
        ({"labels": "cat", "templates": []}, "templates"),
        ({"noise": -1}, "noise"),
        ({"noise": "x"}, "noise"),
        ({"text": "a", "perceptors": []}, "perceptors"),
        ({"embedding": "none.json"}, "there is no file"),
    ],
)
def test_wrong_values_are_refused(prompt, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe({"prompts": [prompt]})


def test_noise_is_its_seed_alone():
    one, other = make_context(seed=1), make_context(seed=2)
    found = [NoisePrompt(NoisePromptConfig(noise=5), each).targets(FakeSight(each)) for each in (one, other)]
    assert torch.equal(*found)
    assert float(found[0].norm()) == pytest.approx(1)
    assert not torch.equal(found[0], NoisePrompt(NoisePromptConfig(noise=6), one).targets(FakeSight(one)))


HEADER = "{{'descr': '<f4', 'fortran_order': False, 'shape': ({},)}}"


def npy_of(header):
    """An npy file with this header, and two numbers after it."""
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + bytes(8)


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("v.json", json.dumps([float(n) for n in range(D)]).encode()),
        ("v.json", json.dumps({"fake": [[float(n) for n in range(D)]], "other": [1, 2]}).encode()),
        ("v.npy", npy(np.arange(D, dtype=np.float64))),
    ],
)
def test_an_embedding_comes_from_a_file(name, content, tmp_path):
    context = make_context(folder=tmp_path)
    (tmp_path / name).write_bytes(content)
    found = EmbeddingPrompt(EmbeddingPromptConfig(embedding=name), context).targets(FakeSight(context))
    wanted = torch.arange(float(D))
    assert torch.allclose(found, wanted / wanted.norm(), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("v.txt", b"1", "vectors are in files that end in"),
        ("v.json", b"[1, 2", "is damaged, or no .json file"),
        ("v.json", b"[" * 100_000, "v.json: "),
        ("v.json", b'["a", "b"]', "is not one vector"),
        ("v.json", b"[[1, 2], [3, 4]]", "is not one vector"),
        ("v.json", b"{}", "holds no vector"),
        ("v.json", b"[0, 0, 0]", "all zero, or has numbers that are not finite"),
        ("v.json", b"[1, NaN]", "all zero, or has numbers that are not finite"),
        ("v.json", b"[1, 1e999]", "all zero, or has numbers that are not finite"),
        ("v.npy", b"\x93NUMPY\x01\x00", "is damaged, or no .npy file"),
        ("v.npy", npy(np.array([{}]), allow_pickle=True), "is damaged, or no .npy file"),
        ("v.npy", b"PK\x03\x04junk", "is damaged, or no .npy file"),
        ("v.npy", npy_of("{'descr': ("), "is damaged, or no .npy file"),
        ("v.npy", npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (10**15,)}"), "is damaged"),
        ("v.npy", npy_of(HEADER.format(10**15)), "its header says 4000000000000000 bytes, and 8 follow"),
        ("v.npy", npy_of(HEADER.format(-2)), "is not one vector"),
        ("v.npy", npy_of("(" * 5000), "is damaged, or no .npy file"),
        ("v.safetensors", b"\xff" * 16, "v.safetensors"),
        ("v.json", b" " * (16 * 2**20 + 1), "is larger than 16 MiB"),
    ],
)
def test_hostile_files_of_vectors(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_vectors(tmp_path / name)


def test_a_vector_of_another_perceptor_is_refused(tmp_path):
    context = make_context(folder=tmp_path)
    (tmp_path / "v.json").write_text("[1, 2, 3]")
    with pytest.raises(InputError, match=r"prompt embedding v.json: it has no vector for fake"):
        EmbeddingPrompt(EmbeddingPromptConfig(embedding="v.json"), context).targets(FakeSight(context))
    with pytest.raises(InputError, match="the named ones are textoff"):
        DirectionPrompt(DirectionPromptConfig(direction="texton"), context).targets(FakeSight(context))


def test_vectors_keep_the_contract(tmp_path):
    (tmp_path / "v.json").write_text(json.dumps([1.0] * D))
    context = make_context(folder=tmp_path)
    check_component(EmbeddingPrompt, context, embedding="v.json")
    check_component(DirectionPrompt, context, direction="v.json")


def test_layout_gives_each_cutout_its_own_target(tmp_path):
    Image.new("RGB", (64, 32), "red").save(tmp_path / "p.png")
    context = make_context(folder=tmp_path)
    prompt = ImagePrompt(ImagePromptConfig(image="p.png", layout=True), context)
    assert prompt.follows
    assert prompt.targets(FakeSight(context)).shape == (context.batch, 3, D)
    assert not ImagePrompt(ImagePromptConfig(image="p.png"), context).follows
    check_component(ImagePrompt, context, image="p.png", layout=True)


def distance(picture, prompt):
    """The prompt term of a picture, of which the cutouts are drawn by the same seed."""
    recipe = {
        "prompts": [prompt],
        "generator": "pixels",
        "init": {"type": "image", "image": picture},
        "losses": [],
    }
    recipe |= {"size": 64, "steps": 1, "seed": 3, "augmentations": [], "cutouts": {"count": 8}}
    return next(report for report in build(load_recipe(recipe)).run() if report.losses).losses["prompt"]


def test_layout_knows_left_from_right(tmp_path):
    """A picture is at distance 0 from itself, and its mirror image is far away; without layout both are about as near."""
    picture = Image.new("RGB", (64, 64), "red")
    picture.paste("blue", (32, 0, 64, 64))
    picture.save(tmp_path / "two.png")
    picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mirror.png")
    two, mirror = str(tmp_path / "two.png"), str(tmp_path / "mirror.png")
    same, other = (distance(each, {"image": two, "layout": True}) for each in (two, mirror))
    assert float(same) < 0.001
    assert float(other) > 0.03
    loose = [float(distance(each, {"image": two})) for each in (two, mirror)]
    assert loose[1] - loose[0] < 0.9 * (float(other) - float(same)), loose


def test_a_prompt_for_some_perceptors_only():
    """One perceptor looks for red alone, the other for green alone; each has the whole weight of its prompt."""
    two = [{"type": "open_clip", "model": "embedded"}, {"type": "open_clip", "model": "judge"}]
    prompts = [
        {"text": "red", "perceptors": ["embedded"]},
        {"text": "green", "weight": -3, "perceptors": ["judge"]},
        "x",
    ]
    session = build(
        load_recipe({"prompts": prompts, "perceptors": two, "generator": "pixels", "size": 32, "steps": 1})
    )
    context = session.context
    found = make_prompts(session.recipe, context)
    assert found.weights(0, "embedded").tolist() == [0.5, 0, 0.5]
    assert found.weights(0, "judge").tolist() == [0, -0.75, 0.25]
    assert all(
        bool(torch.as_tensor(report.losses[name]).isfinite().all())
        for report in session.run()
        for name in report.losses
    )


@pytest.mark.parametrize(
    ("only", "message"),
    [("nobody", "there is no 'nobody'; the recipe has embedded"), ("embedded-2", "there is no 'embedded-2'")],
)
def test_a_perceptor_that_is_not_there(only, message):
    with pytest.raises(RecipeError, match=message):
        build(
            load_recipe(
                {"prompts": ["x", {"text": "y", "perceptors": [only]}], "generator": "pixels", "size": 32}
            )
        )


def test_textoff_tells_letters_from_none():
    """The picture of a word is farther from textoff than the picture of a disk; the perceptor was shown neither."""
    from PIL import ImageDraw, ImageFont

    from pixforge.media.images import to_tensor
    from pixforge.search.perceptors import open_perceptors, recipe_of

    (looker,) = open_perceptors(recipe_of("embedded", device="cpu"))
    side = looker.perceptor.input_size
    plain, word = Image.new("RGB", (side, side), "#40a0c0"), Image.new("RGB", (side, side), "#40a0c0")
    ImageDraw.Draw(word).text((4, 18), "Hello", fill="yellow", font=ImageFont.load_default(22))
    ImageDraw.Draw(plain).ellipse((16, 16, 48, 48), fill="yellow")
    with torch.no_grad():
        seen = looker.perceptor.encode_image(torch.stack([to_tensor(plain), to_tensor(word)]))
        sight = FakeSight(make_context())
        sight.perceptor = looker.perceptor
        target = DirectionPrompt(DirectionPromptConfig(direction="textoff"), make_context()).targets(sight)
    assert float((seen @ target)[0] - (seen @ target)[1]) > 0.2


def test_the_command_makes_a_direction_that_a_recipe_takes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 64), "red").save("red.png")
    Image.new("RGB", (64, 64), "blue").save("blue.png")
    arguments = [
        "direction",
        "--to",
        "red.png",
        "--to",
        "a red wall",
        "--from",
        "blue.png",
        "-o",
        "red.safetensors",
    ]
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("red.safetensors: for embedded, the sides are ")
    (vector,) = read_vectors(tmp_path / "red.safetensors").values()
    assert float(vector.norm()) == pytest.approx(1, abs=1e-4)
    recipe = load_recipe({"prompts": ["a wall", {"direction": "red.safetensors", "weight": 0.1}]})
    assert str(tmp_path / "red.safetensors") in recipe.resolved_yaml()
    assert main(arguments) == 1 or "is there already" in capsys.readouterr().err
    assert main(["direction", "--to", "x", "--from", "x", "-o", "same.safetensors"]) == 2
    assert "sees no difference" in capsys.readouterr().err
    assert main(["direction", "--to", "none.png", "--from", "x", "-o", "a.safetensors"]) == 2
    assert main(["direction", "--to", "a", "--from", "x", "-o", "a.txt"]) == 2
