"""The generator `diffusion`: it is the plain sampler without a learning rate, and is guided with one."""

import json

import pytest
import torch
from PIL import Image
from pixforge_unclip.diffusion import Diffusion, DiffusionConfig
from pixforge_unclip.models import UnclipFolders, embedded
from pixforge_unclip.sampling import sample

import pixforge
from pixforge.contracts import PromptScorer
from pixforge.errors import InputError, RecipeError
from pixforge.testing import check_component, make_context

MODELS = (embedded(), UnclipFolders())


def context_of(canvases=2, seed=0, folder=None, size=(32, 32), steps=10):
    return make_context(size, canvases, steps, seed=seed, models=MODELS, folder=folder)


def made(model, context=None, texts=("red",), **fields):
    """A generator that knows the texts of the prompts."""
    with torch.no_grad():
        generator = Diffusion(
            DiffusionConfig(model=str(model), prior_steps=2, **fields), context or context_of()
        )
        generator.prepare(PromptScorer(texts, lambda images: images.mean(dim=(1, 2, 3))))
    return generator


def run(generator, steps, moved=0.0):
    """Updates as an optimizer makes them, that add `moved` to the latent."""
    z = generator.latents()["z"]
    with torch.no_grad():
        for _ in range(steps):
            z.add_(moved)
            generator.constrain()
    return z.detach().clone()


@pytest.mark.parametrize("fields", [{}, {"until": 1.0, "strength": 0.1, "prior": False, "guidance": 0.0}])
def test_it_keeps_the_contract(tiny, fields):
    check_component(Diffusion, context_of(size=(48, 32)), model=str(tiny), **fields)


def test_without_a_movement_it_is_the_plain_sampler(tiny):
    """The same noise through Euler's method ends at the same latent, for each canvas, within the range of the codes."""
    context = context_of(steps=10)
    generator = made(tiny, context, until=0.7)
    with torch.no_grad():
        wanted = sample(
            generator._backend.decoder, generator._told, generator._noise, 7, generator._backend.guidance
        )
        found = run(generator, 7)
        assert torch.equal(run(generator, 3), found)  # the noise is gone: nothing moves but by the losses
        generator.latents()["z"].copy_(wanted)
        generator._denoiser.constrain()
    torch.testing.assert_close(found, generator.latents()["z"].detach(), atol=1e-4, rtol=0)
    assert found.std() > 0.3


def test_the_picture_follows_what_the_losses_move(tiny):
    """A latent that is pushed up in every step ends higher than one that is left alone, after the noise is gone too."""
    free, pushed = (run(made(tiny, until=0.5), 10, moved) for moved in (0.0, 0.05))
    assert (pushed - free).mean() > 0.1


def test_a_canvas_is_what_it_would_be_alone(tiny):
    both = run(made(tiny), 10, 0.01)
    alone = run(made(tiny, context_of(1, seed=1)), 10, 0.01)
    torch.testing.assert_close(alone[0], both[1])
    assert (both[0] - both[1]).abs().max() > 0.1


def test_the_decoder_is_told_the_heaviest_text_unless_the_recipe_names_another(tiny):

    def drawn(texts=("red", "blue"), **fields):
        return run(made(tiny, context_of(1), texts, **fields), 3)

    by_prompt = drawn()
    assert torch.equal(by_prompt, drawn(("green",), text="red"))
    for fields in ({"text": "blue"}, {"text": ""}, {"prior": False}):
        assert not torch.equal(by_prompt, drawn(**fields))


def test_little_noise_keeps_a_picture_and_much_replaces_it(tiny):
    def distance(strength):
        context = context_of(1)
        ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32).contiguous()
        generator = made(tiny, context, strength=strength)
        with torch.no_grad():
            generator.encode(ramp)
            shown = generator.forward(0)
            assert (shown - ramp).abs().mean() < 0.08  # step 0 is the picture
            run(generator, 8)
            return float((generator.forward(8) - shown).abs().mean())

    assert distance(0.02) < distance(0.9)
    assert distance(0.02) < 0.1


def test_an_edit_in_the_middle_takes_the_place_of_the_prediction(tiny):
    """After three steps a picture is set; the noise that is left stays, and the picture leads from there on."""
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32).contiguous()
    plain, edited = (made(tiny, context_of(1)) for _ in range(2))
    for generator in (plain, edited):
        run(generator, 5)
    with torch.no_grad():
        edited.encode(ramp)
    assert edited._level == plain._level
    assert (run(edited, 1) - run(plain, 1)).abs().mean() > 0.01


RECIPE = {
    "prompts": ["a red heart"], "size": 32, "steps": 6, "init": "noise", "seed": 1,
    "cutouts": {"type": "random", "count": 2}, "exporters": ["still"],
}  # fmt: skip


def goes_on(recipe, folder):
    """The bytes of a run, and of one that was stopped after three steps and resumed."""
    pixforge.render(recipe, folder / "whole")
    paused = pixforge.start(recipe, folder / "parts")
    for event in paused:
        if getattr(getattr(event, "report", None), "step", None) == 3:
            paused.stop()
    pixforge.resume(folder / "parts")
    return [(folder / name / "image.png").read_bytes() for name in ("whole", "parts")]


def test_a_run_goes_on_to_the_same_bytes(small, tmp_path):
    """With a sampler that remembers earlier steps."""
    pixforge.install_torchvision_shim()
    pytest.importorskip("diffusers")
    generator = {"type": "diffusion", "model": str(small), "prior_steps": 2, "sampler": "unipc"}
    recipe = pixforge.load_recipe({**RECIPE, "generator": generator})
    whole, parts = goes_on(recipe, tmp_path)
    assert whole == parts
    found = json.loads((tmp_path / "whole" / "run.json").read_text())["generator"]
    assert {"prior.safetensors", "decoder.safetensors"} < found["files"].keys()


def test_a_run_that_goes_on_with_other_steps_keeps_its_levels_of_noise(tiny):
    """Five of seven levels are done; the two that are left are the same in a run of twenty steps."""
    whole, short, long = (made(tiny, context_of(steps=steps)) for steps in (10, 10, 20))
    wanted = run(whole, 7)
    run(short, 5)
    state = {name: each.clone() for name, each in {**short.latents(), **short.state()}.items()}
    with torch.no_grad():
        long.latents()["z"].copy_(state.pop("z"))
        long.load_state(state)
    torch.testing.assert_close(run(long, 2), wanted)
    assert torch.equal(run(long, 3), run(whole, 3))  # the noise is gone


def test_a_sampler_for_other_models_is_refused_with_those_that_work(tiny):
    with pytest.raises(InputError, match="trained by flow matching: euler, dpm, unipc"):
        made(tiny, sampler="ddim")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"sampler": "nonsense"}, "sampler"),
        ({"until": 0}, "until"),
        ({"strength": 0}, "strength"),
        ({"strength": 1.5}, "strength"),
        ({"guidance": -1}, "guidance"),
        ({"model": "nowhere"}, "unknown unclip model 'nowhere'"),
    ],
)
def test_a_wrong_generator_is_found_before_the_run(fields, complaint):
    with pytest.raises(RecipeError, match=complaint):
        pixforge.load_recipe({**RECIPE, "generator": {"type": "diffusion", **fields}})


def masked(folder, side=32):
    """A mask whose right half is drawn anew."""
    mask = Image.new("L", (side, side))
    mask.paste(255, (side // 2, 0, side, side))
    mask.save(folder / "mask.png")
    return "mask.png"


def test_inpainting_keeps_what_is_black_in_the_mask_and_draws_the_rest_anew(tiny, tmp_path):
    generator = made(tiny, context_of(1, folder=tmp_path), inpaint=masked(tmp_path))
    with torch.no_grad():
        generator.encode(torch.linspace(0, 1, 32).expand(1, 3, 32, 32).contiguous())
    start = generator.latents()["z"].detach().clone()
    end = run(generator, 10, moved=0.02)
    assert torch.equal(end[..., :2], start[..., :2])
    assert (end[..., 2:] - start[..., 2:]).abs().mean() > 0.1


def test_what_is_drawn_anew_starts_from_noise_and_knows_its_surroundings(tiny, tmp_path):
    """The same noise beside another picture ends at another latent."""

    def drawn(picture):
        generator = made(tiny, context_of(1, folder=tmp_path), inpaint=masked(tmp_path))
        with torch.no_grad():
            generator.encode(picture)
        assert torch.equal(generator._noisy[..., 2:], generator._noise[..., 2:])
        return run(generator, 10)[..., 2:]

    assert (drawn(torch.zeros(1, 3, 32, 32)) - drawn(torch.ones(1, 3, 32, 32))).abs().mean() > 0.01


def test_inpainting_without_a_picture_is_refused(tiny, tmp_path):
    with pytest.raises(InputError, match="there is no picture"):
        run(made(tiny, context_of(1, folder=tmp_path), inpaint=masked(tmp_path)), 1)


def test_inpainting_goes_on_to_the_same_bytes(small, tmp_path):
    Image.new("RGB", (32, 32), "red").save(tmp_path / "red.png")
    fields = {"type": "diffusion", "model": str(small), "prior_steps": 2, "inpaint": masked(tmp_path)}
    data = {**RECIPE, "generator": fields, "init": "red.png"}
    (tmp_path / "recipe.json").write_text(json.dumps(data))
    whole, parts = goes_on(pixforge.load_recipe(tmp_path / "recipe.json"), tmp_path)
    assert whole == parts
