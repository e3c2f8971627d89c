"""Karlo's parts as diffusers saved them: equal to diffusers' own pipelines, in every use, and in half precision."""

import pytest
import torch
from pixforge_unclip.backends import load
from pixforge_unclip.diffusion import Diffusion, DiffusionConfig
from pixforge_unclip.few_steps import FewSteps, FewStepsConfig
from pixforge_unclip.init import Unclip, UnclipConfig
from pixforge_unclip.models import UnclipFolders, karlo

import pixforge
from pixforge.contracts import PromptScorer
from pixforge.errors import InputError, WeightsError
from pixforge.testing import make_context

pixforge.install_torchvision_shim()
diffusers = pytest.importorskip("diffusers")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves

LENGTH = 8


def context_of(canvases=1, size=(32, 32), steps=4):
    return make_context(size, canvases, steps, models=[UnclipFolders()])


def numbers(seed):
    return torch.Generator().manual_seed(seed)


def test_text_to_picture_is_that_of_diffusers(karlo_whole):
    """Prior, decoder and super-resolution, with the random numbers in the same order."""
    from diffusers.pipelines.deprecated.unclip.pipeline_unclip import UnCLIPPipeline

    karlo_folder, parts = karlo_whole
    pipeline = UnCLIPPipeline(**{name: each for name, each in parts.items() if name != "image_encoder"})
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        "red",
        num_images_per_prompt=2,
        prior_num_inference_steps=3,
        decoder_num_inference_steps=4,
        super_res_num_inference_steps=5,
        prior_guidance_scale=2.0,
        decoder_guidance_scale=3.0,
        generator=numbers(4),
        output_type="np",
    ).images
    backend, draws = load(str(karlo_folder), context_of()), numbers(4)
    backend.upsampler_steps = 5
    with torch.no_grad():
        told = backend.embeddings("red", 2, draws, 3, 2.0)
        small = backend.decode(told, draws, 4, 3.0, "red")
        ours = backend.enlarge(small, told, draws)
    assert small.shape == (2, 3, 8, 8)
    assert ours.shape == (2, 3, 16, 16)
    torch.testing.assert_close(ours.permute(0, 2, 3, 1), torch.from_numpy(theirs), atol=1e-5, rtol=1e-4)
    assert small.std() > 0.01
    assert ours.std() > 0.01


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_variations_are_those_of_diffusers(karlo_whole, guidance):
    from diffusers.pipelines.deprecated.unclip.pipeline_unclip_image_variation import (
        UnCLIPImageVariationPipeline,
    )

    karlo_folder, parts = karlo_whole
    transformers = pytest.importorskip("transformers")
    left_out = {"prior", "prior_scheduler"}
    pipeline = UnCLIPImageVariationPipeline(
        **{name: each for name, each in parts.items() if name not in left_out},
        feature_extractor=transformers.CLIPImageProcessor(crop_size=8, size=8),
    )
    pipeline.set_progress_bar_config(disable=True)
    told = torch.randn(2, LENGTH, generator=numbers(5))
    theirs = pipeline(
        image_embeddings=told,
        decoder_num_inference_steps=3,
        super_res_num_inference_steps=7,
        decoder_guidance_scale=guidance,
        generator=numbers(6),
        output_type="np",
    ).images
    backend, draws = load(str(karlo_folder), context_of()), numbers(6)
    with torch.no_grad():
        ours = backend.enlarge(backend.decode(told, draws, 3, guidance), told, draws)
    torch.testing.assert_close(ours.permute(0, 2, 3, 1), torch.from_numpy(theirs), atol=1e-5, rtol=1e-4)


def test_the_image_encoder_may_lie_beside_the_decoder(karlo_whole, tmp_path):
    """As in the folder that diffusers' pipeline of variations saves; the prior's has none."""
    import shutil

    folder, _ = karlo_whole
    shutil.copytree(folder, tmp_path / "prior", ignore=lambda _, names: {"image_encoder"} & set(names))
    picture = torch.rand(1, 3, 12, 20, generator=numbers(1))
    with torch.no_grad():
        found = load(str(folder), context_of(), str(tmp_path / "prior")).pictures(picture)
        assert torch.equal(found, load(str(folder), context_of()).pictures(picture))


def test_the_decoder_reads_the_text(karlo_folder, said):
    backend, told = load(str(karlo_folder), context_of()), torch.randn(1, LENGTH, generator=numbers(5))
    with torch.no_grad():
        one, other = (backend.decode(told, numbers(1), 2, 1.0, text) for text in ("red", "e e e"))
    assert (one - other).abs().max() > 1e-4


def test_an_init_starts_from_it(karlo_folder, said):
    """From the text; the decoder and the super-resolution make the picture of 16 x 16 that is fitted into 32 x 32."""
    context = context_of(2)
    fields = {"model": str(karlo_folder), "candidates": 2, "steps": 2, "prior_steps": 2}
    init = Unclip(UnclipConfig(**fields), context)
    init.prepare(PromptScorer(("red",), lambda images: images.mean(dim=(1, 2, 3))))
    generator = context.component("generator", {"type": "pixels"})
    before = generator.forward(0).detach().clone()
    init.start(generator)
    after = generator.forward(0).detach()
    assert (after - before).abs().mean() > 0.05
    assert (after[0] - after[1]).abs().max() > 0.01
    assert "decoder/config.json" in init.provenance()["files"]
    assert init._backend is None  # nothing of the networks stays for the run


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "red"),
        ({"text": "e"}, "e"),
        ({"image": "a.png"}, ""),
        ({"toward": "e"}, ""),
        ({"plus": "e"}, "red"),
    ],
)
def test_the_text_is_told_where_it_alone_says_what_to_draw(karlo_folder, fields, said):
    init = Unclip(UnclipConfig(model=str(karlo_folder), **fields), context_of())
    init.prepare(PromptScorer(("red",), lambda images: images))
    assert init._said() == said


def test_a_text_without_the_prior_is_as_long_as_a_picture(karlo_whole):
    """Mean 0 and deviation 2 in each of 8 directions: the length is the root of 8 x 4."""
    backend = load(str(karlo_whole[0]), context_of())
    with torch.no_grad():
        found = backend.texts_as_pictures(["red", "e"])
    torch.testing.assert_close(found.norm(dim=1), torch.full((2,), 32**0.5))


@pytest.mark.parametrize("sampler", [None, "ddim", "dpm"])
def test_the_generator_diffusion_draws_with_it(karlo_folder, said, sampler):
    """Unmoved by losses, with fields of its own; a start picture is found again."""
    with torch.no_grad():
        context = context_of(2)
        generator = Diffusion(
            DiffusionConfig(model=str(karlo_folder), sampler=sampler, guidance=2.0), context
        )
        generator.prepare(PromptScorer(("red",), lambda images: images))
        for _ in range(3):
            generator.constrain()
        made = generator.forward(3)
        assert made.shape == (2, 3, 32, 32)
        assert made.std() > 0.01
        assert (made[0] - made[1]).abs().max() > 0.01
        picture = torch.full((2, 3, 32, 32), 0.25)
        generator._denoiser.encode(picture)
        torch.testing.assert_close(generator._denoiser.picture(0), picture)


def test_few_steps_trains_noise_and_embedding(karlo_folder, said):
    generator = FewSteps(FewStepsConfig(model=str(karlo_folder), sampler="ddim", steps=2), context_of())
    with torch.no_grad():
        generator.prepare(PromptScorer(("red",), lambda images: images))
    generator.forward(0).mean().backward()
    assert all(each.grad.abs().max() > 0 for each in generator.latents().values())


def test_a_decoder_without_super_resolution_draws_small_pictures(karlo_folder, tmp_path):
    import shutil

    shutil.copytree(karlo_folder, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "super_res_first")
    backend = load(str(tmp_path / "copy"), context_of())
    small = torch.rand(1, 3, 8, 8)
    assert backend.enlarge(small, torch.zeros(1, LENGTH), numbers(0)) is small


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        ("text_proj", "has no text_proj"),
        ("super_res_last", "has no super_res_last"),
        ("super_res_scheduler", "has no super_res_scheduler"),
    ],
)
def test_a_missing_part_is_named(karlo_folder, said, tmp_path, part, complaint):
    import shutil

    shutil.copytree(karlo_folder, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / part)
    backend, told = load(str(tmp_path / "copy"), context_of()), torch.zeros(1, LENGTH)
    with pytest.raises(WeightsError, match=complaint):
        backend.enlarge(backend.decode(told, numbers(0), 2, 1.0), told, numbers(0))


def test_a_step_alone_is_refused_in_words(karlo_folder, said):
    backend = load(str(karlo_folder), context_of())
    with pytest.raises(InputError, match="steps of 2 would work"):
        backend.embeddings("red", 1, numbers(0), 1, 1.0)


def test_the_published_files_are_those_that_diffusers_saves(karlo_folder):
    """Beside the text tower and the tokenizer, which are transformers'."""
    saved = {str(each.relative_to(karlo_folder)) for each in karlo_folder.rglob("*") if each.is_file()}
    towers = ("text_encoder/", "tokenizer/", "image_encoder/")
    named = {each.name for each in karlo().files}
    assert {each for each in named if not each.startswith(towers)} == {
        each for each in saved if not each.startswith(towers)
    }
    assert {"tokenizer/vocab.json", "text_encoder/model.safetensors"} < named
