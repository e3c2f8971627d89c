"""Starts from samples for the prompt: the text, the choice of the best, and generators with and without codes."""

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
from pixforge.contracts import PromptScorer
from pixforge.engine.build import build
from pixforge.engine.prompts import prompt_similarity
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
