"""The generator `dvae`: pictures become codes, and steps change them."""

import json
import subprocess
import sys

import pytest
import torch
from conftest import colors
from pixforge_dalle.generator import Dvae, DvaeConfig
from pixforge_dalle.models import DvaeFolders, published

import pixforge
from pixforge.contracts import CodeLatent
from pixforge.errors import RecipeError, WeightsError
from pixforge.testing import check_component, make_context

WAYS = ["straight_through", "gumbel", "none"]


def made(model, size=(24, 16), canvases=1, seed=0, **fields):
    context = make_context(size, canvases, 10, seed=seed, models=[DvaeFolders()])
    with torch.no_grad():
        return Dvae(DvaeConfig(model=str(model), **fields), context)


@pytest.mark.parametrize("way", WAYS)
def test_it_keeps_the_contract(model, way):
    context = make_context((48, 32), models=[DvaeFolders()])
    check_component(Dvae, context, model=str(model), quantization=way, temperature=0.1)


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_of_the_codes_colors_is_found_again(model, way):
    generator = made(model, quantization=way, temperature=0.05)
    chosen = colors()[torch.tensor([[0, 77, 511], [300, 8, 64]])]
    picture = chosen.permute(2, 0, 1).repeat_interleave(8, 1).repeat_interleave(8, 2)[None]
    with torch.no_grad():
        generator.encode(picture)
        torch.testing.assert_close(generator.forward(3), picture, atol=1e-4, rtol=0)


def test_codes_can_be_set(model):
    generator = made(model, size=(20, 9))
    assert isinstance(generator, CodeLatent)
    assert generator.code_size == (2, 3)
    assert generator.codebook.shape == (512, 8)
    with torch.no_grad():
        generator.set_codes(torch.full((1, 2, 3), 448))  # full red, no green, no blue
        shown = generator.forward(0)
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 9, 20)
    torch.testing.assert_close(shown, red, atol=1e-4, rtol=0)


@pytest.mark.parametrize("way", WAYS)
def test_steps_lead_to_a_color_that_is_asked_for(model, way):
    generator = made(model, quantization=way, temperature=0.5)
    wanted = torch.tensor([0.0, 1.0, 3 / 7]).view(1, 3, 1, 1)
    (group,) = generator.parameter_groups()
    optimizer = torch.optim.Adam(group["params"], lr=0.3 * group["scale"])
    off = []
    for step in range(40):
        loss = (generator.forward(step % 10) - wanted).square().mean()
        off.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            generator.constrain()
    assert off[-1] < 0.1 * off[0]


def test_a_lower_temperature_comes_nearer_to_single_codes(model):
    """With equal logits for black and white, each block is a mixture of both and the noise decides."""
    gray = []
    for temperature in (5.0, 0.01):
        generator = made(model, quantization="gumbel", temperature=temperature)
        with torch.no_grad():
            logits = generator.latents()["logits"]
            logits.fill_(-1e4)
            logits[:, [0, 511]] = 0
            shown = generator.forward(0)
        gray.append(float((shown - shown.round()).abs().mean()))
    assert gray[0] > 0.1
    assert gray[1] < 0.01


def test_the_temperature_falls_as_in_the_paper(model):
    generator = made(model, quantization="gumbel")
    context = generator.context
    assert context.value(generator.config.temperature, 0) == 1
    assert context.value(generator.config.temperature, 9) == pytest.approx(1 / 16)


def test_a_canvas_is_what_it_would_be_alone(model):
    both, alone = (made(model, quantization="gumbel", canvases=n, seed=s) for n, s in ((2, 0), (1, 1)))
    with torch.no_grad():
        torch.testing.assert_close(both.forward(4)[1:], alone.forward(4), atol=1e-5, rtol=0)
    assert not torch.equal(both.latents()["logits"][0], both.latents()["logits"][1])


def recipe_of(model, **fields):
    return {
        "prompts": ["a red heart"], "size": 32, "steps": 6, "init": "noise", "seed": 1,
        "cutouts": {"type": "random", "count": 2}, "exporters": ["still"],
        "generator": {"type": "dvae", "model": str(model), **fields},
    }  # fmt: skip


def test_a_run_goes_on_to_the_same_bytes(model, tmp_path):
    recipe = pixforge.load_recipe(recipe_of(model, quantization="gumbel"))
    whole = pixforge.render(recipe, tmp_path / "whole")
    paused = pixforge.start(recipe, tmp_path / "parts")
    for event in paused:
        if getattr(getattr(event, "report", None), "step", None) == 3:
            paused.stop()
    pixforge.resume(tmp_path / "parts")
    assert (whole.folder / "image.png").read_bytes() == (tmp_path / "parts" / "image.png").read_bytes()
    weights = json.loads((whole.folder / "run.json").read_text())["generator"]
    assert weights["codes"] == 512
    assert len(weights["files"]["encoder.safetensors"]["sha256"]) == 64


def test_the_memory_of_a_step_is_estimated_without_running_it(model, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(recipe_of(model, quantization="gumbel")))
    command = [sys.executable, "-m", "pixforge", "check", "--memory", str(tmp_path / "a.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "ok; needs about" in done.stdout, done.stdout + done.stderr


def test_without_its_files_it_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXFORGE_MODELS", str(tmp_path))
    with pytest.raises(WeightsError, match="`pixforge models fetch dall-e` gets them"):
        Dvae(DvaeConfig(), make_context(models=[published()]))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"quantization": "soft"}, "quantization"),
        ({"temperature": 0}, "temperature"),
        ({"model": ""}, "model"),
    ],
)
def test_a_wrong_generator_is_found_before_the_run(fields, complaint):
    with pytest.raises(RecipeError, match=complaint):
        pixforge.load_recipe({"prompts": ["a"], "generator": {"type": "dvae", **fields}})
