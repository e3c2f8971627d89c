"""Starts from codes that a transformer samples: sizes, conditions, kept rows, and generators with and without codes."""

import pytest
import torch
import yaml
from PIL import Image as Picture
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from tiny_net2net import CODES, content, stage, write_transformer

from pixforge.builtin.generators.pixels import Pixels, PixelsConfig
from pixforge.builtin.generators.vqgan.generator import VQGAN, VQGANConfig
from pixforge.builtin.inits.codes.init import Codes, CodesConfig, _framed
from pixforge.contracts import CodeLatent
from pixforge.errors import ImageError, InputError, UnsupportedError, WeightsError
from pixforge.testing import make_context

GRID = (16, 16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("transformers")
    for name in ("nothing", "label", "coord", "depth", "segmentation", "image"):
        write_transformer(place, name, content(name))
    write_transformer(place, "permuted", content("nothing", "ZCurve"))
    used = torch.tensor([30, 4, 17, 9])
    write_transformer(place, "remapped", content(), **{"first_stage_model.quantize.used": used})
    vqgan(place)
    Picture.linear_gradient("L").resize((40, 24)).save(place / "depth.png")
    Picture.new("L", (20, 20), 5).save(place / "classes.png")
    Picture.new("L", (20, 20), 6).save(place / "unknown.png")
    Picture.radial_gradient("L").convert("RGB").resize((30, 50)).save(place / "begin.png")
    return place


def vqgan(place, name="same", scale=1.0):
    """The first stage of all these transformers, as a model of its own."""
    prefix = "first_stage_model."
    state = {
        key.removeprefix(prefix): each * scale
        for key, each in load_file(place / "nothing.safetensors").items()
        if key.startswith(prefix)
    }
    save_file(state, place / f"{name}.safetensors")
    (place / f"{name}.yaml").write_text(yaml.safe_dump({"model": stage()}))


class Given(VQGAN):
    """A generator that records the code numbers it is given."""

    codes = None

    def set_codes(self, codes):
        self.codes = codes
        super().set_codes(codes)


def drawn(folder, model="nothing", size=GRID, seeds=2, seed=0, into="same", **fields) -> Given:
    context = make_context(size, seeds, seed=seed, folder=folder)
    with torch.no_grad():
        generator = Given(VQGANConfig(model=f"{into}.safetensors"), context)
        Codes(CodesConfig(model=f"{model}.safetensors", **fields), context).start(generator)
    return generator


def test_codes_reach_a_generator_of_the_same_codebook(folder):
    generator = drawn(folder)
    assert isinstance(generator, CodeLatent)
    assert generator.codes.shape == (2, 4, 4)
    entries = torch.nn.functional.embedding(generator.codes, generator.codebook).permute(0, 3, 1, 2)
    assert torch.equal(generator.latents()["z"], entries)
    assert len(generator.codes.unique()) > 4
    assert generator.codes.max() < CODES


def test_other_generators_get_the_picture(folder):
    codes = drawn(folder, size=(18, 15), seeds=2)
    context = make_context((18, 15), 2, folder=folder)
    pixels = Pixels(PixelsConfig(), context)
    with torch.no_grad():
        Codes(CodesConfig(model="nothing.safetensors"), context).start(pixels)
        torch.testing.assert_close(pixels.forward(0), codes.forward(0), atol=0.01, rtol=0)


def test_another_codebook_gets_the_picture(folder):
    vqgan(folder, "other", scale=1.5)
    generator = drawn(folder, into="other")
    assert generator.codes is None


def test_canvases_and_seeds(folder):
    first, again, alone = drawn(folder), drawn(folder), drawn(folder, seeds=1, seed=1)
    assert torch.equal(first.codes, again.codes)
    assert torch.equal(first.codes[1:], alone.codes)
    assert not torch.equal(first.codes[0], first.codes[1])


@pytest.mark.parametrize("size", [(16, 16), (8, 5), (30, 9), (22, 26)])
@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("nothing", {}),
        ("coord", {}),
        ("label", {"label": 4}),
        ("depth", {"image": "depth.png"}),
        ("segmentation", {"image": "classes.png"}),
        ("image", {"image": "begin.png"}),
    ],
)
def test_every_condition_at_every_size(folder, model, fields, size):
    generator = drawn(folder, model, size, **fields)
    assert generator.codes.shape == (2, *generator.code_size)
    assert torch.equal(generator.codes, drawn(folder, model, size, **fields).codes)


def test_small_pictures_are_the_middle(folder):
    whole, part = drawn(folder), drawn(folder, size=(8, 8))
    assert torch.equal(whole.codes[:, 1:3, 1:3], part.codes)


def test_conditions_matter(folder):
    assert not torch.equal(drawn(folder, "label", label=1).codes, drawn(folder, "label", label=2).codes)
    Picture.new("L", (16, 16), 0).save(folder / "flat.png")
    first, second = (drawn(folder, "depth", image=each).codes for each in ("depth.png", "flat.png"))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("size", [(16, 16), (8, 16), (20, 24)])
def test_the_upper_part_is_kept(folder, size):
    half, other = (drawn(folder, size=size, begin="begin.png", seed=each) for each in (0, 7))
    rows = round(half.code_size[0] / 2)
    whole = drawn(folder, size=size, begin="begin.png", keep=1).codes
    assert torch.equal(half.codes[:, :rows], whole[:, :rows])
    assert torch.equal(other.codes[:, :rows], whole[:, :rows])
    assert not torch.equal(half.codes[:, rows:], other.codes[:, rows:])


def test_frames_repeat_the_border():
    codes = torch.tensor([[[1, 2], [3, 4]]])
    expected = [[1, 1, 2, 2, 2], [3, 3, 4, 4, 4], [3, 3, 4, 4, 4]]
    assert _framed(codes, 3, 5).tolist() == [expected]


def test_the_choice_of_codes(folder):
    likeliest = [drawn(folder, temperature=0).codes, drawn(folder, top_k=1).codes]
    likeliest.append(drawn(folder, top_p=1e-6, top_k=None).codes)
    assert torch.equal(likeliest[0], likeliest[1])
    assert torch.equal(likeliest[0], likeliest[2])
    assert torch.equal(likeliest[0][0], likeliest[0][1])


def test_remapped_and_permuted(folder):
    assert set(drawn(folder, "remapped").codes.unique().tolist()) <= {30, 4, 17, 9}
    assert drawn(folder, "permuted").codes.shape == (2, 4, 4)
    with pytest.raises(UnsupportedError, match="permuted order"):
        drawn(folder, "permuted", size=(32, 16))


@pytest.mark.parametrize(
    ("model", "fields", "error", "message"),
    [
        ("label", {}, InputError, r"init\.label: .* was trained on class_label; it is needed"),
        ("label", {"label": 5}, InputError, r"init\.label: 5 is no class; .* has 0 to 4"),
        ("nothing", {"label": 0}, InputError, "was trained without a condition; leave it out"),
        ("depth", {}, InputError, r"init\.image: .* was trained on depth; it is needed"),
        ("nothing", {"image": "depth.png"}, InputError, "without a condition; leave it out"),
        ("segmentation", {"image": "unknown.png"}, InputError, r"init\.image: .*class 6, the model knows 6"),
        ("depth", {"image": "absent.png"}, ImageError, "there is no such file"),
        ("same", {}, WeightsError, "which draws no codes"),
    ],
)
def test_what_does_not_fit_is_refused(folder, model, fields, error, message):
    with pytest.raises(error, match=message):
        drawn(folder, model, **fields)


@pytest.mark.parametrize(
    "fields", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0}, {"keep": 2}, {"label": -1}]
)
def test_bounds(fields):
    with pytest.raises(ValidationError):
        CodesConfig(model="any", **fields)
