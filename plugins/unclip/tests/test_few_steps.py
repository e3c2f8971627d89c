"""The generator `few_steps`: noise and embedding are trained through the decoder, and keep their lengths."""

import json
import subprocess
import sys

import pytest
import torch
from pixforge_unclip.few_steps import FewSteps, FewStepsConfig
from pixforge_unclip.models import UnclipFolders, embedded
from pixforge_unclip.sampling import sample

import pixforge
from pixforge.contracts import PromptScorer
from pixforge.errors import RecipeError, UnsupportedError
from pixforge.testing import check_component, make_context

MODELS = (embedded(), UnclipFolders())
RAMP = torch.linspace(0, 1, 32).expand(1, 3, 32, 32).contiguous()


def made(model, canvases=1, seed=0, texts=("red",), **fields):
    context = make_context((32, 32), canvases, 10, seed=seed, models=MODELS)
    with torch.no_grad():
        generator = FewSteps(FewStepsConfig(model=str(model), prior_steps=2, **fields), context)
        generator.prepare(PromptScorer(texts, lambda images: images.mean(dim=(1, 2, 3))))
    return generator


def descend(generator, updates=20, rate=0.05):
    """Toward a black picture; the least brightness on the way."""
    least = 1.0
    optimizer = torch.optim.Adam(generator.parameter_groups()[0]["params"], lr=rate)
    for step in range(updates):
        brightness = generator.forward(step).mean()
        optimizer.zero_grad()
        brightness.backward()
        least = min(least, float(brightness.detach()))
        optimizer.step()
        with torch.no_grad():
            generator.constrain()
    return least


@pytest.mark.parametrize("fields", [{}, {"train": "noise", "guidance": 2.0}, {"text": "", "steps": 2}])
def test_it_keeps_the_contract(tiny, fields):
    context = make_context((48, 32), models=MODELS)
    check_component(FewSteps, context, model=str(tiny), **fields)


def test_the_first_picture_is_the_plain_sample(tiny):
    generator = made(tiny, steps=6)
    decoder, latents = generator._backend.decoder, generator.latents()
    told = torch.nn.functional.normalize(latents["told"].detach(), dim=1)
    with torch.no_grad():
        generator._denoiser.latent.copy_(sample(decoder, told, latents["noise"].detach(), 6))
        wanted = generator._denoiser.picture(0)
    torch.testing.assert_close(generator.forward(0).detach(), wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("train", ["both", "noise", "embedding"])
def test_training_darkens_the_picture_and_moves_what_the_recipe_says(tiny, train):
    generator = made(tiny, train=train)
    before = {name: each.detach().clone() for name, each in generator.latents().items()}
    first = float(generator.forward(0).mean().detach())
    least = descend(generator)
    assert least < first - (0.02 if train != "embedding" else 0.0)
    moved = {name for name, each in generator.latents().items() if not torch.equal(each, before[name])}
    assert moved == {"both": {"noise", "told"}, "noise": {"noise"}, "embedding": {"told"}}[train]
    for name, each in generator.latents().items():
        torch.testing.assert_close(each.norm(), before[name].norm(), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["noise", "told"])
def test_the_gradient_passes_through_all_steps(tiny, name):
    """As differences along its own direction say, before the generator of the card takes the nearest codes."""
    generator = made(tiny)
    latent = generator.latents()[name]
    weights = torch.randn(16, 4, 4, generator=torch.Generator().manual_seed(1))
    (generator._sampled() * weights).sum().backward()
    along = latent.grad / latent.grad.norm()
    found = []
    with torch.no_grad():
        for side in (0.02, -0.04):
            latent.add_(side * along)
            found.append(float((generator._sampled() * weights).sum()))
    assert (found[0] - found[1]) / 0.04 == pytest.approx(float(latent.grad.norm()), rel=0.1)


def test_a_start_picture_is_found_again_by_turning_the_sampler_around(tiny):
    generator = made(tiny, steps=8)
    with torch.no_grad():
        generator._denoiser.encode(RAMP)
        wanted = generator._denoiser.picture(0).clone()
        far = float((generator.forward(0) - wanted).abs().mean())
        generator.encode(RAMP)
        near = float((generator.forward(0) - wanted).abs().mean())
    assert near < 0.2 * far


@pytest.mark.filterwarnings("ignore")  # of diffusers, about itself
def test_other_samplers_cannot_start_from_a_picture(tiny):
    pixforge.install_torchvision_shim()
    pytest.importorskip("diffusers")
    with torch.no_grad(), pytest.raises(UnsupportedError, match="sampler euler"):
        made(tiny, sampler="dpm").encode(RAMP)


def test_a_canvas_is_what_it_would_be_alone(tiny):
    both, alone = made(tiny, canvases=2), made(tiny, seed=1)
    with torch.no_grad():
        torch.testing.assert_close(both.forward(0)[1], alone.forward(0)[0])


def test_a_run_goes_on_to_the_same_bytes(small, tmp_path):
    recipe = pixforge.load_recipe({
        "prompts": ["a red heart"], "size": 32, "steps": 6, "init": "noise", "seed": 1,
        "cutouts": {"type": "random", "count": 2}, "exporters": ["still"],
        "generator": {"type": "few_steps", "model": str(small), "prior_steps": 2},
    })  # fmt: skip
    whole = pixforge.render(recipe, tmp_path / "whole")
    paused = pixforge.start(recipe, tmp_path / "parts")
    for event in paused:
        if getattr(getattr(event, "report", None), "step", None) == 3:
            paused.stop()
    pixforge.resume(tmp_path / "parts")
    assert (whole.folder / "image.png").read_bytes() == (tmp_path / "parts" / "image.png").read_bytes()
    assert json.loads((whole.folder / "run.json").read_text())["generator"]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [({"steps": 0}, "steps"), ({"train": "all"}, "train"), ({"sampler": "ddpm"}, "sampler"), ({"guidance": -1}, "guidance")],
)  # fmt: skip
def test_a_wrong_generator_is_found_before_the_run(fields, complaint):
    with pytest.raises(RecipeError, match=complaint):
        pixforge.load_recipe({"prompts": ["a"], "generator": {"type": "few_steps", **fields}})


@pytest.mark.filterwarnings("ignore")  # of diffusers, about itself
@pytest.mark.parametrize("sampler", [None, "dpm", "unipc"])
def test_every_picture_begins_at_the_first_step_of_the_sampler(tiny, sampler):
    """Schedulers of several orders remember; the next picture of the same latent is the same all the same."""
    if sampler is not None:
        pixforge.install_torchvision_shim()
        pytest.importorskip("diffusers")
    generator = made(tiny, sampler=sampler)
    with torch.no_grad():
        assert torch.equal(generator.forward(0), generator.forward(1))


def test_the_memory_of_a_step_is_estimated_without_running_it(small, tmp_path):
    recipe = {"prompts": ["a"], "size": 32, "steps": 2, "init": "noise", "exporters": ["still"]}
    files = []
    for name in ("few_steps", "diffusion"):
        recipe["generator"] = {"type": name, "model": str(small), "prior_steps": 2}
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps(recipe))
    command = [sys.executable, "-m", "pixforge", "check", "--memory", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.count("ok; needs about") == 2, done.stdout + done.stderr
