"""Priors and decoders that diffusers saved: equal to diffusers' own pipelines, and what a wrong folder is told."""

import json
import subprocess
import sys

import pytest
import torch
from pixforge_unclip.backends import load
from pixforge_unclip.diffusion import Diffusion, DiffusionConfig
from pixforge_unclip.init import Unclip, UnclipConfig
from pixforge_unclip.models import UnclipFolders, kandinsky

import pixforge
from pixforge.contracts import PromptScorer
from pixforge.errors import InputError, WeightsError
from pixforge.testing import check_component, make_context

pixforge.install_torchvision_shim()
diffusers = pytest.importorskip("diffusers")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves

LENGTH = 8


def context_of(canvases=1):
    return make_context((32, 32), canvases, models=[UnclipFolders()])


def numbers(seed):
    return torch.Generator().manual_seed(seed)


def pipeline_of(decoder, scheduler):
    from diffusers.pipelines.kandinsky2_2.pipeline_kandinsky2_2 import KandinskyV22Pipeline

    unet, movq = (
        kind.from_pretrained(decoder / name)
        for name, kind in (("unet", diffusers.UNet2DConditionModel), ("movq", diffusers.VQModel))
    )
    pipeline = KandinskyV22Pipeline(unet=unet, scheduler=scheduler, movq=movq)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_the_decoder_draws_as_diffusers_does(decoder, guidance):
    told, nothing = torch.randn(2, LENGTH, generator=numbers(5)), torch.randn(1, LENGTH, generator=numbers(6))
    pipeline = pipeline_of(decoder, diffusers.DDPMScheduler.from_pretrained(decoder / "scheduler"))
    latents = torch.randn(2, 4, 8, 8, generator=numbers(7))
    theirs = pipeline(
        told,
        nothing.expand(2, -1),
        height=16,
        width=16,
        num_inference_steps=3,
        guidance_scale=guidance,
        latents=latents,
        generator=numbers(8),
        output_type="pt",
    ).images
    backend = load(str(decoder), context_of())
    backend.nothing = lambda: nothing
    backend.noise = lambda generator, *shape: latents
    with torch.no_grad():
        ours = backend.decode(told, numbers(8), 3, guidance)
    torch.testing.assert_close(ours, (theirs / 2 + 0.5).clamp(0, 1))
    assert ours.std() > 0.01


def test_the_prior_denoises_as_its_scheduler_says(prior):
    """The same loop by hand: one step of the tiny prior, unguided, equals scheduler and network called in turn."""
    backend = load(str(prior), context_of())
    told = {
        "proj_embedding": torch.randn(2, LENGTH, generator=numbers(1)),
        "encoder_hidden_states": torch.randn(2, 5, LENGTH, generator=numbers(2)),
        "attention_mask": torch.ones(2, 5, dtype=torch.bool),
    }
    backend.told = lambda texts, count: told
    with torch.no_grad():
        ours = backend.embeddings("a", 2, numbers(3), 2, 1.0)
        network = diffusers.PriorTransformer.from_pretrained(prior / "prior")
        scheduler = diffusers.UnCLIPScheduler.from_pretrained(prior / "scheduler")
        scheduler.set_timesteps(2)
        generator = numbers(3)
        x = torch.randn(2, LENGTH, generator=generator)
        for time, after in zip(scheduler.timesteps, [*scheduler.timesteps[1:], None], strict=True):
            found = network(x, timestep=time, **told).predicted_image_embedding
            x = scheduler.step(found, time, x, generator=generator, prev_timestep=after).prev_sample
    torch.testing.assert_close(ours, x * 2.0)  # clip_std is 2, clip_mean is 0


@pytest.mark.parametrize("sampler", ["ddim", "dpm", None])
def test_the_generator_that_nothing_moves_draws_as_diffusers_does(decoder, sampler, monkeypatch):
    """A whole run of two canvases beside diffusers' pipeline with the scheduler, the same noise and fresh noise."""
    told, nothing = torch.randn(2, LENGTH, generator=numbers(5)), torch.randn(1, LENGTH, generator=numbers(6))
    fresh = []

    def generators(context, purpose):
        if purpose == "diffusion/step/0":
            fresh[:] = [numbers(8), numbers(9)]
        return fresh or [numbers(1), numbers(2)]

    monkeypatch.setattr("pixforge_unclip.draws.generators", generators)
    monkeypatch.setattr("pixforge_unclip.backends.kandinsky.Kandinsky.nothing", lambda backend: nothing)
    monkeypatch.setattr(Diffusion, "told", lambda generator, backend, scorer: told)
    config = DiffusionConfig(model=str(decoder), sampler=sampler, until=1.0, guidance=3.0)
    with torch.no_grad():
        generator = Diffusion(config, make_context((16, 16), 2, 4, models=[UnclipFolders()]))
        generator.prepare(PromptScorer(("red",), lambda images: images))
        for _ in range(4):
            generator.constrain()
        ours = generator.forward(4)
    saved = diffusers.DDPMScheduler.from_pretrained(decoder / "scheduler")
    names = {"ddim": diffusers.DDIMScheduler, "dpm": diffusers.DPMSolverMultistepScheduler}
    scheduler = names[sampler].from_config(saved.config, variance_type=None) if sampler else saved
    theirs = pipeline_of(decoder, scheduler)(
        told,
        nothing.expand(2, -1),
        height=16,
        width=16,
        num_inference_steps=4,
        guidance_scale=3.0,
        latents=generator._noise,
        generator=[numbers(8), numbers(9)],
        output_type="pt",
    ).images
    torch.testing.assert_close(ours, (theirs / 2 + 0.5).clamp(0, 1), atol=1e-4, rtol=1e-4)
    assert ours.std() > 0.01


def test_the_generator_keeps_the_contract(decoder, monkeypatch):
    """Sizes that the networks cannot halve are cropped; a random encoder does not find a picture again."""
    monkeypatch.setattr(
        "pixforge_unclip.backends.kandinsky.Kandinsky.nothing", lambda backend: torch.zeros(1, LENGTH)
    )
    monkeypatch.setattr("pixforge.testing.latents._check_encode", lambda *known: None)
    context = make_context((22, 14), 2, 4, models=[UnclipFolders()])
    check_component(Diffusion, context, model=str(decoder), text="")


def test_the_generator_encodes_as_movq_does(decoder, monkeypatch):
    monkeypatch.setattr(
        "pixforge_unclip.backends.kandinsky.Kandinsky.nothing", lambda backend: torch.zeros(1, LENGTH)
    )
    picture = torch.rand(1, 3, 16, 16, generator=numbers(3))
    with torch.no_grad():
        generator = Diffusion(
            DiffusionConfig(model=str(decoder)), make_context((16, 16), 1, models=[UnclipFolders()])
        )
        generator.encode(picture)
        movq = diffusers.VQModel.from_pretrained(decoder / "movq")
        wanted = movq.decode(movq.encode(picture * 2 - 1).latents, force_not_quantize=True).sample
        torch.testing.assert_close(generator.forward(0), (wanted / 2 + 0.5).clamp(0, 1))


def test_an_init_starts_from_it(decoder, tmp_path):
    """Text to picture, with a prior that gives random embeddings."""
    context = context_of(2)
    init = Unclip(UnclipConfig(model=str(decoder), candidates=2, steps=2, guidance=1.0), context)
    init.prepare(PromptScorer(("red",), lambda images: images.mean(dim=(1, 2, 3))))
    generator = context.component("generator", {"type": "pixels"})
    before = generator.forward(0).detach().clone()
    init._embeddings = lambda backend, draws, count: torch.randn(count, LENGTH, generator=draws)
    init.start(generator)
    after = generator.forward(0).detach()
    assert (after - before).abs().mean() > 0.05
    assert (after[0] - after[1]).abs().max() > 0.01
    assert "unet/config.json" in init.provenance()["files"]


def test_prior_and_decoder_may_lie_in_two_folders(decoder, prior):
    backend = load(str(decoder), context_of(), str(prior))
    assert backend.length == LENGTH
    assert {"unet/config.json", "prior: prior/config.json"} < backend.provenance()["files"].keys()
    told = {
        "proj_embedding": torch.zeros(1, LENGTH),
        "encoder_hidden_states": torch.zeros(1, 5, LENGTH),
        "attention_mask": torch.ones(1, 5, dtype=torch.bool),
    }
    backend.told = lambda texts, count: told
    with torch.no_grad():
        found = backend.embeddings("a", 1, numbers(0), 2, 1.0)
        assert backend.decode(found, numbers(0), 1, 1.0).shape == (1, 3, 16, 16)


def test_a_combined_pipeline_has_two_schedulers(decoder, prior, tmp_path):
    """The names of diffusers' combined pipeline: the prior's parts begin with prior_."""
    import shutil

    both = tmp_path / "both"
    shutil.copytree(decoder, both)
    for name in ("prior", "scheduler"):
        shutil.copytree(prior / name, both / f"prior_{name}")
    backend = load(str(both), context_of())
    assert type(backend.prior_saved.scheduler(of_prior=True)).__name__ == "UnCLIPScheduler"
    assert type(backend.saved.scheduler()).__name__ == "DDPMScheduler"
    assert backend.length == LENGTH


def test_a_second_prior_for_the_miniature_is_refused(decoder, tiny):
    models = [UnclipFolders()]
    context = make_context((32, 32), 1, models=models)
    with pytest.raises(InputError, match="has a prior of its own"):
        load(str(tiny), context, str(decoder))
    with pytest.raises(InputError, match="was not saved by diffusers"):
        load(str(decoder), context, str(tiny))


def test_the_whole_prior_equals_diffusers_with_its_towers(prior, save_towers):
    """Text to image embedding with CLIP's towers of transformers, where it is installed."""
    transformers = pytest.importorskip("transformers")
    from diffusers.pipelines.kandinsky2_2.pipeline_kandinsky2_2_prior import KandinskyV22PriorPipeline

    tokenizer, text, image = save_towers(prior, LENGTH)
    pipeline = KandinskyV22PriorPipeline(
        prior=diffusers.PriorTransformer.from_pretrained(prior / "prior"),
        image_encoder=image,
        text_encoder=text,
        tokenizer=tokenizer,
        scheduler=diffusers.UnCLIPScheduler.from_pretrained(prior / "scheduler"),
        image_processor=transformers.CLIPImageProcessor(crop_size=8, size=8),
    )
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        "red", num_images_per_prompt=2, num_inference_steps=3, guidance_scale=2.0, generator=numbers(4)
    )
    backend = load(str(prior), context_of())
    with torch.no_grad():
        ours = backend.embeddings("red", 2, numbers(4), 3, 2.0)
        torch.testing.assert_close(ours, theirs.image_embeds)
        torch.testing.assert_close(backend.nothing(), theirs.negative_image_embeds[:1])
        assert backend.texts(["red", "e"]).shape == (2, LENGTH)
        assert backend.pictures(torch.rand(1, 3, 12, 20)).shape == (1, LENGTH)


@pytest.fixture
def copied(decoder, tmp_path):
    """A copy of the decoder, to be spoilt."""
    import shutil

    shutil.copytree(decoder, tmp_path / "copy")
    return tmp_path / "copy"


def decoded(folder):
    backend = load(str(folder), context_of())
    with torch.no_grad():
        return backend.decode(torch.zeros(1, LENGTH), numbers(0), 1, 1.0)


def test_a_decoder_alone_says_that_the_prior_is_missing(decoder):
    backend = load(str(decoder), context_of())
    with pytest.raises(WeightsError, match=r"has no (tokenizer|scheduler|prior), which the prior needs"):
        backend.embeddings("a", 1, numbers(0), 1, 1.0)


def spoil(folder, change):
    file, content = change
    if content is None:
        (folder / file).unlink()
    elif isinstance(content, dict):
        known = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps(known | content))
    else:
        (folder / file).write_bytes(content)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("movq/config.json", None), "has no movq"),
        (("unet/config.json", b"["), "is no JSON"),
        (("unet/config.json", b"[]"), "is no configuration"),
        (("unet/config.json", b" " * (1 << 20) + b"{}"), "larger than a megabyte"),
        (("unet/config.json", {"_class_name": "VQModel"}), "holds a VQModel, not a UNet2DConditionModel"),
        (
            ("unet/config.json", {"block_out_channels": [4096, 8192]}),
            r"wants \d+ numbers, but its files have",
        ),
        (("unet/config.json", {"down_block_types": ["Nothing", "Nothing"]}), "cannot be loaded"),
        (("unet/diffusion_pytorch_model.safetensors", b"\xff" * 100), "unet"),
        (("unet/diffusion_pytorch_model.safetensors", None), "unet"),
        (("scheduler/scheduler_config.json", {"_class_name": "os.system"}), "diffusers has no scheduler"),
        (("scheduler/scheduler_config.json", {"_class_name": "UNet2DModel"}), "diffusers has no scheduler"),
    ],
)
def test_a_wrong_or_hostile_folder_gets_one_line(copied, change, complaint):
    spoil(copied, change)
    with pytest.raises(WeightsError, match=complaint) as caught:
        decoded(copied)
    assert "\n" not in str(caught.value)


def test_pickles_are_not_read(copied):
    weights = copied / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(copied / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(WeightsError):
        decoded(copied)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"neither unclip\.json nor a prior or decoder"):
        load(str(tmp_path), context_of())


def test_a_published_model_is_taken_from_a_folder_and_used_by_its_name(decoder, tmp_path, monkeypatch):
    monkeypatch.setenv("PIXFORGE_MODELS", str(tmp_path))
    command = [sys.executable, "-m", "pixforge", "models", "fetch", "kandinsky-2.2", "--from", str(decoder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    context = make_context((32, 32), 1, models=(*kandinsky(), UnclipFolders()))
    told = torch.randn(1, LENGTH, generator=numbers(3))
    by_name, by_folder = (
        load(name, context).decode(told, numbers(4), 2, 1.0) for name in ("kandinsky-2.2", str(decoder))
    )
    assert torch.equal(by_name, by_folder)


def test_a_folder_without_a_part_cannot_stand_for_a_published_model(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXFORGE_MODELS", str(tmp_path / "store"))
    command = [sys.executable, "-m", "pixforge", "models", "fetch", "kandinsky-2.2", "--from", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "should have unet/config.json" in done.stderr
