"""Starts from samples for the prompt: the text, the choice of the best, and generators with and without codes."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from tiny_tokens import write_model

from pixforge.builtin.generators.pixels import Pixels, PixelsConfig
from pixforge.builtin.generators.vqgan.generator import VQGAN, VQGANConfig
from pixforge.builtin.inits.text_to_codes.init import Tokens, TokensConfig
from pixforge.cli.main import main
from pixforge.contracts import ModelFile, PainterModel, PromptScorer
from pixforge.engine.build import build
from pixforge.engine.prompts import prompt_similarity
from pixforge.errors import InputError
from pixforge.recipe import load_recipe
from pixforge.testing import make_context

GRID = (12, 12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("tokens")
    write_model(place)
    return place


def red(images):
    """A similarity that is highest for red pictures."""
    return images[:, 0].mean(dim=(1, 2)) - images[:, 1:].mean(dim=(1, 2, 3))


def started(folder, generator=None, size=GRID, seeds=1, seed=0, texts=("ab",), similarity=red, **fields):
    context = make_context(size, seeds, seed=seed, folder=folder)
    with torch.no_grad():
        made = generator(context) if generator else VQGAN(VQGANConfig(model="tiny.safetensors"), context)
        init = Tokens(TokensConfig(model="tokens.json", **fields), context)
        init.prepare(PromptScorer(texts, similarity))
        init.start(made)
    return made


def pixels(context):
    return Pixels(PixelsConfig(), context)


def test_codes_reach_a_generator_of_the_same_codebook(folder):
    generator = started(folder, candidates=8)
    entries = generator.latents()["z"].permute(0, 2, 3, 1).reshape(-1, 8)
    apart = torch.cdist(entries.detach(), generator.codebook)
    assert apart.amin(dim=1).max() < 1e-3
    assert len(apart.argmin(dim=1).unique()) > 2


def test_the_perceptors_choose_among_the_candidates(folder):
    def score(**fields):
        return float(red(started(folder, **fields).forward(0).detach()))

    one, many = score(candidates=1), score(candidates=24)
    assert many > one
    assert score(candidates=24, similarity=lambda images: -red(images)) < one


def test_more_candidates_only_add_to_the_same_ones(folder):
    seen = []

    def note(images):
        seen.append(images)
        return red(images)

    for candidates in (3, 5):
        started(folder, similarity=note, candidates=candidates)
    assert seen[1].shape == (5, 3, *GRID)
    torch.testing.assert_close(seen[1][:3], seen[0], atol=1e-4, rtol=0)


def test_a_canvas_starts_as_it_would_alone(folder):
    pair = started(folder, seeds=2, seed=7).latents()["z"]
    alone = started(folder, seed=8).latents()["z"]
    assert torch.equal(pair[1:], alone)
    assert not torch.equal(pair[:1], pair[1:])


def test_text_of_its_own_goes_before_the_prompt(folder):
    def z(**fields):
        return started(folder, candidates=1, temperature=1, top_k=None, **fields).latents()["z"]

    assert torch.equal(z(text="zz"), z(texts=("zz",)))
    assert torch.equal(z(text="ab", texts=()), z())
    assert torch.equal(z(guidance=0), z(guidance=0, text="zz"))
    assert torch.equal(z(texts=()), z(text="")), "without words it draws anything"


def test_any_generator_starts_from_the_picture(folder):
    alike = started(folder, pixels, candidates=4).forward(0)
    codes = started(folder, candidates=4).forward(0)
    assert (alike - codes).abs().mean() < 0.02


@pytest.mark.parametrize("size", [(48, 24), (24, 40)])
def test_other_proportions_get_the_border_around(folder, size):
    image = started(folder, pixels, size=size, candidates=1)
    made = image.forward(0).detach()
    assert made.shape == (1, 3, size[1], size[0])
    outside = made[0, :, :, 0] if size[0] > size[1] else made[0, :, 0]
    inside = made[0, :, :, 5] if size[0] > size[1] else made[0, :, 5]
    assert (outside - inside).abs().max() < 0.05


@pytest.fixture
def half(folder):
    """A picture of the canvas's size, green above and white below, as a file."""
    picture = Image.new("RGB", GRID, "white")
    picture.paste("lime", (0, 0, 12, 6))
    picture.save(folder / "half.png")
    return "half.png"


def test_the_upper_part_of_a_given_picture_stays_and_the_rest_is_drawn(folder, half):
    def shown(**fields):
        return started(folder, pixels, begin=half, candidates=8, **fields).forward(0).detach()[0]

    green = torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1)
    drawn = shown(keep=1 / 3)  # the first of three rows of codes, four pixels high
    assert (drawn[:, :2] - green).abs().max() < 0.02
    assert (drawn[:, 4:6] - green).abs().mean() > 0.1, "what is below `keep` is not copied"
    assert (shown(keep=1)[:, :6] - green).abs().mean() < 0.02
    assert (shown(keep=1)[:, 6:] - 1).abs().mean() < 0.2
    other = started(folder, pixels, begin=half, keep=1 / 3, candidates=8, seed=5).forward(0)[0].detach()
    assert torch.equal(other[:, :2], drawn[:, :2])
    assert not torch.equal(other[:, 4:], drawn[:, 4:])


def test_a_generator_of_the_same_codes_gets_those_of_the_given_part(folder, half):
    def codes(**fields):
        generator = started(folder, begin=half, candidates=4, **fields)
        entries = generator.latents()["z"].detach().permute(0, 2, 3, 1).reshape(-1, 8)
        return torch.cdist(entries, generator.codebook).argmin(dim=1)

    whole, part, none = codes(keep=1), codes(keep=0.34), codes(keep=0)
    assert torch.equal(part[:3], whole[:3])
    assert not torch.equal(part[3:], whole[3:])
    plain = started(folder, candidates=4)
    assert torch.equal(none, codes(keep=0.1)), "a tenth of three rows is none"
    assert (started(folder, candidates=4, begin=half, keep=0).forward(0) - plain.forward(0)).abs().max() == 0


class Stripes:
    """Draws the same stripes of two codes for every text, and begins as it is told."""

    grid = (3, 3)
    codebook = torch.eye(2)
    networks = ()

    def sample(self, text, uniform, choice, guidance, begun=None):
        codes = torch.tensor([0, 1, 0] * 3).repeat(len(uniform), 1)
        if begun is not None:
            codes[:, : len(begun)] = begun
        return codes.view(-1, 3, 3)

    def decode(self, codes):
        return codes.float().unsqueeze(1).repeat(1, 3, 1, 1).repeat_interleave(4, 2).repeat_interleave(4, 3)

    def codes_of(self, pictures):
        return torch.ones(len(pictures), 3, 3, dtype=torch.long)

    def log_likelihood(self, text, codes):
        return codes.float().mean(dim=(1, 2)) * (2 if text else 1) * math.log(2)


@dataclass(frozen=True, kw_only=True)
class StripesModel(PainterModel):
    """A model of a plugin, with one file."""

    def locate(self, store):
        return {"stripes.txt": Path(__file__)}

    def load(self, files, device, dtype):
        assert set(files.paths) == {"stripes.txt"}
        return Stripes()


def test_a_plugins_own_network_can_draw(folder, half):
    model = StripesModel(name="stripes", files=(ModelFile("stripes.txt"),))
    context = make_context(GRID, 1, folder=folder, models=[model])
    shown = []
    for fields in ({}, {"begin": half, "keep": 0.34}):
        init = Tokens(TokensConfig(model="stripes", candidates=2, **fields), context)
        init.prepare(PromptScorer(("ab",), red))
        with torch.no_grad():
            generator = pixels(context)
            init.start(generator)
            shown.append(generator.forward(0)[0, :, :, 1].clone())
    assert shown[0].max() < 0.02, "the first column is black"
    assert (shown[1][:, :2] - torch.tensor([[0.0], [1.0], [0.0]])).abs().max() < 0.02, "green from the file"
    assert shown[1][:, 4:].max() < 0.02
    said = init.likelihood(torch.rand(2, 3, 8, 8), "ab")
    assert said.tolist() == pytest.approx([1, 1]), "a bit for each code"


def test_regions_and_a_given_picture_exclude_each_other(folder, half):
    part = ((0, 0, 6, 12), PromptScorer(("ab",), red))
    context = make_context(GRID, 1, folder=folder)
    scorer = PromptScorer((), red, parts=(part,))
    with pytest.raises(InputError, match=r"init\.begin: a picture is finished as a whole"):
        Tokens(TokensConfig(model="tokens.json", begin=half), context).prepare(scorer)
    Tokens(TokensConfig(model="tokens.json", begin=half, text="ab"), context).prepare(scorer)


def test_the_likelihood_is_zero_for_no_text_and_differs_between_texts(folder):
    init = Tokens(TokensConfig(model="tokens.json"), make_context(GRID, 1, folder=folder))
    pictures = torch.rand(3, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    assert init.likelihood(pictures, "").tolist() == [0, 0, 0]
    said = init.likelihood(pictures, "ab")
    assert said.shape == (3,)
    assert not torch.equal(said, init.likelihood(pictures, "zz"))


def test_no_candidates_are_refused():
    with pytest.raises(ValidationError, match="candidates"):
        TokensConfig(candidates=0)


def test_a_run_of_no_steps_shows_the_sample(tmp_path):
    recipe = tmp_path / "sample.yaml"
    recipe.write_text(
        "seed: 1\nsize: [96, 96]\nprompts: [a red apple]\ngenerator: {type: vqgan}\n"
        "init: {type: tokens, candidates: 8}\nexporters: [{type: still}]\n"
    )
    out = tmp_path / "out"
    assert main(["run", str(recipe), "--set", "steps=0", "-o", str(out), "--quiet"]) == 0
    picture = next(out.glob("*.png"))
    with Image.open(picture) as opened:
        assert opened.size == (96, 96)
        middle = np.asarray(opened.convert("RGB").crop((32, 32, 64, 64))).mean(axis=(0, 1))
    assert middle[0] > middle[2] + 40, "an apple is red in the middle"


def test_a_run_with_a_picture_for_a_prompt_starts_from_what_resembles_it_most(tmp_path):
    Image.new("RGB", (32, 32), "red").save(tmp_path / "red.png")
    recipe = {"size": [64, 64], "steps": 0, "prompts": [{"image": str(tmp_path / "red.png")}]}
    recipe["generator"] = "pixels"

    def fit(seed, candidates):
        init = {"type": "tokens", "candidates": candidates}
        session = build(load_recipe({**recipe, "seed": seed, "init": init}))
        image, perceptor = session.start().image, next(iter(session.perceptors.values()))
        return prompt_similarity(perceptor, image, session.recipe, session.context)[0]

    better = [fit(seed, 24) - fit(seed, 1) for seed in (1, 2, 3)]
    assert min(better) > -1e-3  # the first of the candidates may be the best
    assert max(better) > 0.01
