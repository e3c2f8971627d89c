"""The latent of a VQGAN: its start, its constraints, and its pictures."""

import pytest
import torch
from pydantic import ValidationError
from tiny_vqgan import write_pair

import pixforge
from pixforge.builtin.generators.vqgan.generator import VQGAN, VQGANConfig
from pixforge.builtin.generators.vqgan.latent import central, clamp_with_gradient, gumbel_codes, padded
from pixforge.builtin.inits.run import Run, RunConfig
from pixforge.builtin.losses.latent import Latent, LatentConfig
from pixforge.contracts import Generator, View
from pixforge.engine.memory import estimate
from pixforge.errors import InputError, WeightsError
from pixforge.media.images import resize
from pixforge.recipe import load_recipe
from pixforge.runs import resume
from pixforge.runs.events import Step
from pixforge.testing import check_component, make_context


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("models")
    write_pair(place)
    write_pair(place, "gumbel", gumbel=True)
    return place


def make(folder, size=(32, 24), canvases=2, model="tiny.safetensors", steps=10, **fields) -> VQGAN:
    with torch.no_grad():
        return VQGAN(
            VQGANConfig(model=model, **fields), make_context(size, canvases, steps=steps, folder=folder)
        )


@pytest.mark.parametrize("quantization", ["straight_through", "gumbel", "none"])
@pytest.mark.parametrize("model", ["tiny.safetensors", "gumbel.safetensors"])
def test_the_contract_holds(folder, quantization, model, monkeypatch):
    monkeypatch.setattr(VQGAN, "encode", Generator.encode)  # no random network can show a given picture
    context = make_context((32, 24), folder=folder)
    check_component(VQGAN, context, model=model, quantization=quantization)
    check_component(VQGAN, context, model=model, quantization=quantization, ema=0.5)
    check_component(VQGAN, context, model=model, quantization=quantization, coarse=0.5)


@pytest.mark.parametrize("size", [(32, 32), (33, 18), (30, 47)])
def test_any_size_is_shown_at_that_size(folder, size):
    generator = make(folder, size)
    width, height = size
    assert generator.forward(0).shape == (2, 3, height, width)
    assert generator.code_size == (-(-height // 4), -(-width // 4))


def test_padding_is_undone_by_cropping():
    image = torch.rand(1, 3, 13, 18)
    larger = padded(image, 8)
    assert larger.shape[-2:] == (16, 24)
    assert torch.equal(central(larger, 13, 18), image)
    assert torch.equal(larger[..., 0, 3:-3], image[..., 0, :])  # the border goes on


def test_a_side_below_one_code_is_refused(folder):
    with pytest.raises(InputError, match=r"side of 3 pixels is less than the 4 pixels"):
        make(folder, (32, 3))


def test_straight_through_shows_codes_and_moves_between_them(folder):
    generator = make(folder)
    (z,) = generator.latents().values()
    with torch.no_grad():
        z.add_(0.05 * torch.randn(z.shape, generator=torch.Generator().manual_seed(0)))
    shown = generator.forward(0)
    exact = generator._decoded(generator._nearest(z))
    torch.testing.assert_close(shown, exact, atol=1e-5, rtol=1e-5)
    shown.sum().backward()
    assert z.grad.abs().sum() > 0


def test_free_latents_are_not_quantized(folder):
    generator = make(folder, quantization="none")
    before = generator.forward(0).detach()
    with torch.no_grad():
        generator.latents()["z"].add_(0.05)
    assert not torch.allclose(generator.forward(0), before, atol=1e-4)


def test_gumbel_hardens_to_the_likeliest_code():
    codebook = torch.eye(3)
    logits = torch.tensor([0.0, 2.0, 0.0]).view(1, 3, 1, 1)
    uniform = torch.full((1, 3, 1, 1), 0.5)
    soft, hard = (gumbel_codes(logits, codebook, t, uniform).flatten() for t in (5.0, 0.01))
    assert 0.3 < soft[1] < 0.6
    torch.testing.assert_close(hard, codebook[1])
    # The same noise on every logit changes nothing: softmax(2 / 5) by hand.
    assert soft[1].item() == pytest.approx(1.4918 / 3.4918, abs=1e-3)


def test_gumbel_picks_codes_as_often_as_their_probability():
    logits = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 100, 100)
    uniform = torch.rand(1, 2, 100, 100, generator=torch.Generator().manual_seed(0))
    chosen = gumbel_codes(logits, torch.eye(2), 0.01, uniform)
    assert chosen[:, 0].mean().item() == pytest.approx(0.731, abs=0.02)


@pytest.mark.parametrize("quantization", ["straight_through", "gumbel", "none"])
def test_codes_in_codes_out(folder, quantization):
    generator = make(folder, quantization=quantization, temperature=0.01)
    codes = torch.randint(32, (2, *generator.code_size), generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        generator.set_codes(codes)
        entries = torch.nn.functional.embedding(codes, generator.codebook).permute(0, 3, 1, 2)
        torch.testing.assert_close(generator.forward(0), generator._decoded(entries), atol=1e-4, rtol=1e-4)


def test_encode_takes_the_encoders_codes(folder):
    generator = make(folder, (30, 22), canvases=1)
    image = torch.rand(1, 3, 22, 30)
    with torch.no_grad():
        generator.encode(image)
        z = generator._model.encode(padded(image, 4) * 2 - 1)
        expected = generator._model.quantize.entries(generator._model.quantize.codes(z))
    assert torch.equal(generator.latents()["z"], expected)


@pytest.mark.parametrize("start", ["codes", "noise"])
def test_starts_differ_by_canvas_and_repeat_by_seed(folder, start):
    first, again = (make(folder, start=start).forward(0) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.allclose(first[0], first[1])
    context = make_context((32, 24), 1, seed=1, folder=folder)
    alone = VQGAN(VQGANConfig(model="tiny.safetensors", start=start), context).forward(0)
    torch.testing.assert_close(alone[0], first[1], atol=1e-5, rtol=1e-5)


def test_clamp_keeps_every_channel_within_the_codes(folder):
    for clamp in (True, False):
        generator = make(folder, clamp=clamp)
        z = generator.latents()["z"]
        with torch.no_grad():
            z.mul_(100)
            generator.constrain()
        low, high = generator.codebook.amin(0), generator.codebook.amax(0)
        inside = (z >= low[:, None, None]) & (z <= high[:, None, None])
        assert bool(inside.all()) == clamp


def test_clamped_colors_may_come_back():
    image = torch.tensor([-0.5, 0.5, 1.5, -0.5, 1.5], requires_grad=True)
    clamp_with_gradient(image).backward(torch.tensor([-1.0, 1.0, 1.0, 1.0, -1.0]))
    assert image.grad.tolist() == [-1.0, 1.0, 1.0, 0.0, 0.0]


def moved(generator, step, by=0.1):
    """The picture after one update: what the engine does, with a push instead of a gradient."""
    with torch.no_grad():
        next(iter(generator.latents().values())).add_(by)
        generator.constrain()
        return generator.shown(generator.forward(step), step)


def test_the_running_mean_is_what_is_shown(folder):
    generator = make(folder, ema=0.9, quantization="none", clamp=False)
    z = generator.latents()["z"]
    with torch.no_grad():
        image = generator.forward(0)
        assert generator.shown(image, 0) is image
        moved(generator, 1)
        first = z.detach().clone()
        shown = moved(generator, 2)
        # The first update is the mean so far; a mean that is one update old keeps a tenth.
        torch.testing.assert_close(generator.latents()["z_average"], first.lerp(z, 0.9))
        expected = generator._decoded(first.lerp(z, 0.9))
    torch.testing.assert_close(shown, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("quantization", ["straight_through", "gumbel", "none"])
def test_a_resumed_running_mean_goes_on_exactly(folder, quantization):
    whole, first, second = (make(folder, ema=0.9, quantization=quantization) for _ in range(3))
    with torch.no_grad():
        for generator in (whole, first):
            generator.forward(0)
            for step in (1, 2, 3):
                moved(generator, step, 0.05 * step)
        for name, latent in second.latents().items():
            latent.copy_(first.latents()[name])
        second.forward(3)  # as the engine does before it goes on
    for step in (4, 5):
        assert torch.equal(moved(whole, step, -0.1), moved(second, step, -0.1))


def test_the_running_mean_is_kept_but_not_trained(folder):
    generator = make(folder, ema=0.9)
    assert set(generator.latents()) == {"z", "z_average"}
    (group,) = generator.parameter_groups()
    assert [id(each) for each in group["params"]] == [id(generator.latents()["z"])]
    context = make_context((32, 24), folder=folder)
    loss = Latent(LatentConfig(distance="mse", origin="start"), context)
    with torch.no_grad():
        loss.prepare(generator)
        generator.latents()["z_average"].add_(5.0)
        assert loss.forward(View(None, generator, context, 0)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_run_goes_on_from_the_picture_that_another_run_saved(folder, tmp_path, ema):
    model = str(folder / "tiny.safetensors")
    recipe = {
        "prompts": ["red"],
        "size": [32, 24],
        "steps": 4,
        "seed": 1,
        "init": "noise",
        "exporters": ["still"],
    }
    recipe["generator"] = {"type": "vqgan", "model": model, "ema": 0.9, "quantization": "none"}
    recipe["optimizer"] = {"type": "adam", "learning_rate": 0.3}
    saved = pixforge.render(pixforge.load_recipe(recipe), tmp_path / "a")
    start = {"type": "run", "checkpoint": str(tmp_path / "a" / "checkpoint.safetensors")}
    more = {"init": start, "steps": 0, "generator.ema": ema}
    again = pixforge.render(pixforge.load_recipe(recipe, more), tmp_path / "b")
    assert saved.images[0].tobytes() == again.images[0].tobytes()


def test_half_precision_stays_close(folder):
    from dataclasses import replace

    context = make_context((32, 24), folder=folder)
    config = VQGANConfig(model="tiny.safetensors")
    with torch.no_grad():
        full = VQGAN(config, context).forward(0)
        half = VQGAN(config, replace(context, dtype=torch.bfloat16)).forward(0)
    assert half.dtype == torch.float32
    assert (half - full).abs().mean() < 0.02


@pytest.mark.parametrize(
    ("distance", "origin", "expected"),
    [("mse", "zero", 4.0), ("mse", "start", 1.0), ("cosine", "start", 0.0), ("spherical", "start", 0.0)],
)
def test_latent_loss_by_hand(folder, distance, origin, expected):
    context = make_context((32, 24), folder=folder)
    generator = make(folder)
    z = generator.latents()["z"]
    loss = Latent(LatentConfig(distance=distance, origin=origin), context)
    with torch.no_grad():
        z.fill_(1.0)
        loss.prepare(generator)
        z.fill_(2.0)  # the same direction, twice as long
    value = loss.forward(View(generator.forward(0), generator, context, 0))
    torch.testing.assert_close(value, torch.full((2,), expected), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("distance", ["cosine", "spherical"])
def test_zero_has_no_angle(distance):
    with pytest.raises(ValidationError, match=f"zero has no angle for distance: {distance}; mse would work"):
        LatentConfig(distance=distance, origin="zero")


def test_spherical_latent_loss_of_a_right_angle_and_at_the_start(folder):
    context = make_context((32, 24), folder=folder)
    generator = make(folder)
    z = generator.latents()["z"]
    loss = Latent(LatentConfig(distance="spherical"), context)
    with torch.no_grad():
        z.zero_()[:, :4] = 1.0
        loss.prepare(generator)
    view = View(generator.forward(0), generator, context, 0)
    loss.forward(view).sum().backward()
    assert bool(z.grad.isfinite().all())
    with torch.no_grad():
        z.zero_()[:, 4:] = 1.0
    torch.testing.assert_close(loss.forward(view), torch.full((2,), torch.pi**2 / 8))


def test_a_run_goes_on_from_another(folder, tmp_path):
    from safetensors.torch import save_file

    source = make(folder, canvases=1)
    with torch.no_grad():
        source.latents()["z"].mul_(0.5)
    save_file({"latent/z": source.latents()["z"].detach()}, tmp_path / "checkpoint.safetensors")
    context = make_context((32, 24), 2, folder=tmp_path)
    target = make(folder)
    with torch.no_grad():
        Run(RunConfig(checkpoint="checkpoint.safetensors"), context).start(target)
    for canvas in target.latents()["z"]:
        assert torch.equal(canvas, source.latents()["z"][0])
    other = make(folder, (64, 64))
    with pytest.raises(InputError, match=r"'z' is \[8, 6, 8\], not \[8, 16, 16\]"), torch.no_grad():
        Run(RunConfig(checkpoint="checkpoint.safetensors"), context).start(other)
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(InputError, match=r"broken\.safetensors: it cannot be read"), torch.no_grad():
        Run(RunConfig(checkpoint="broken.safetensors"), context).start(target)


def test_a_configuration_of_another_model_names_the_tensors(tmp_path):
    write_pair(tmp_path)
    file = tmp_path / "tiny.yaml"
    file.write_text(file.read_text().replace("n_embed: 32", "n_embed: 40"))
    with pytest.raises(WeightsError, match=r"quantize\.embedding\.weight is \[32, 8\], not \[40, 8\]"):
        make(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1", "no configuration of taming-transformers"),
        ("model: {target: taming.models.vqgan.VQModel}", "lacks model.target or model.params"),
        ("model: {target: os.system, params: {x: 1}}", "is of a system, which is no VQGAN"),
        (
            "model: {target: a.VQModel, params: {n_embed: 3, embed_dim: 4}}",
            "model.params.ddconfig: Field required",
        ),
        ("a: [", "cannot be read as a YAML configuration"),
    ],
)
def test_bad_configurations_are_named(tmp_path, text, message):
    write_pair(tmp_path)
    (tmp_path / "tiny.yaml").write_text(text)
    with pytest.raises(WeightsError, match=message):
        make(tmp_path)


def test_a_hostile_size_allocates_nothing(tmp_path):
    write_pair(tmp_path)
    file = tmp_path / "tiny.yaml"
    file.write_text(file.read_text().replace("ch: 32", "ch: 1048576"))
    with pytest.raises(WeightsError, match=r"ddconfig\.ch"):
        make(tmp_path)


def test_a_branch_may_begin_or_end_a_running_mean(folder, tmp_path):
    model = str(folder / "tiny.safetensors")
    recipe = {
        "seed": 1,
        "size": [16, 16],
        "steps": 2,
        "prompts": ["a"],
        "init": "noise",
        "exporters": ["still"],
    }
    for first, second in ((0.0, 0.9), (0.9, 0.0)):
        generator = {"type": "vqgan", "model": model, "ema": first}
        made = pixforge.render(load_recipe({**recipe, "generator": generator}), tmp_path / f"a{first}")
        branch = resume(made.folder, {"generator.ema": second, "steps": 4}, out=tmp_path / f"b{first}")
        assert branch.metrics["total"] > 0


def test_on_a_cpu_each_canvas_is_decoded_as_if_alone(folder):
    """Picture and gradient equal those of single decoding bit for bit; a batch would round differently."""
    config = VQGANConfig(model="tiny.safetensors")
    together = VQGAN(config, make_context((32, 24), 3, seed=5, folder=folder))
    image = together.forward(0)
    image.square().sum().backward()
    for index in range(3):
        alone = VQGAN(config, make_context((32, 24), 1, seed=5 + index, folder=folder))
        single = alone.forward(0)
        single.square().sum().backward()
        assert torch.equal(image[index : index + 1], single)
        assert torch.equal(together.latents()["z"].grad[index : index + 1], alone.latents()["z"].grad)


@pytest.mark.parametrize("size", [(32, 24), (30, 22), (20, 12)])
def test_a_coarse_picture_is_a_small_one_enlarged(folder, size):
    width, height = size
    generator, small = make(folder, size, coarse=0.5), make(folder, (-(-width // 8) * 4, -(-height // 8) * 4))
    assert generator.code_size == small.code_size == (-(-height // 8), -(-width // 8))
    codes = torch.randint(32, (2, *generator.code_size), generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        generator.set_codes(codes)
        shown = generator.forward(0)
        entries = torch.nn.functional.embedding(codes, small.codebook).permute(0, 3, 1, 2)
        plain = small._model.decode(entries) / 2 + 0.5
    assert shown.shape == (2, 3, height, width)
    enlarged = torch.nn.functional.interpolate(plain, scale_factor=2, mode="bicubic", align_corners=False)
    torch.testing.assert_close(shown, central(enlarged, height, width).clamp(0, 1), atol=1e-5, rtol=1e-5)


def test_a_coarse_start_is_the_picture_at_half_its_size(folder):
    generator, small = make(folder, (32, 24), coarse=0.5), make(folder, (16, 12))
    picture = torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        generator.encode(picture)
        small.encode(resize(picture, (16, 12)))
    assert torch.equal(generator.latents()["z"][..., ::2, ::2], small.latents()["z"])


@pytest.mark.parametrize("quantization", ["straight_through", "gumbel", "none"])
def test_coarse_steps_change_four_codes_alike_and_end_at_their_share(folder, quantization, monkeypatch):
    generator = make(folder, steps=4, coarse=0.5, quantization=quantization, ema=0.9)
    (latent, mean), taken = generator.latents().values(), []
    monkeypatch.setattr(
        generator, "encode", lambda image: (taken.append(image), VQGAN.encode(generator, image))
    )
    optimizer = torch.optim.Adam([latent], 0.1)
    for step in range(4):
        image = generator.forward(step)
        assert generator.code_size == ((3, 4) if step < 2 else (6, 8))
        four = latent.detach()[..., :2, :2].flatten(2)
        assert bool((four == four[..., :1]).all()) == (step < 2)
        assert len(taken) == (step >= 2)
        image.square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            generator.constrain()
        if step == 1:
            assert torch.equal(latent, mean)
    assert generator.forward(4).shape == taken[0].shape == (2, 3, 24, 32)


def half_coarse(folder, steps):
    """A recipe of the tiny VQGAN, half of whose steps are coarse."""
    return {
        "seed": 1,
        "size": [16, 16],
        "steps": steps,
        "prompts": ["a"],
        "init": "noise",
        "exporters": ["still"],
        "generator": {"type": "vqgan", "model": str(folder / "tiny.safetensors"), "coarse": 0.5},
    }


def test_a_coarse_run_that_is_resumed_goes_on_as_if_it_had_not_stopped(folder, tmp_path):
    recipe = half_coarse(folder, steps=6)
    whole = pixforge.render(load_recipe(recipe), tmp_path / "whole")
    for stop in (1, 3, 4):
        part = load_recipe(recipe)
        run = pixforge.start(part, tmp_path / f"part{stop}")
        for event in run:
            if isinstance(event, Step) and event.report.step == stop:
                run.stop()
        again = resume(tmp_path / f"part{stop}")
        assert again.images[0].tobytes() == whole.images[0].tobytes()


def test_a_longer_branch_does_not_become_coarse_again(folder, tmp_path):
    recipe = half_coarse(folder, steps=2)
    made = pixforge.render(load_recipe(recipe), tmp_path / "a")
    branch = resume(made.folder, {"steps": 8, "optimizer.learning_rate": 1e-9}, out=tmp_path / "b")
    assert branch.images[0].tobytes() == made.images[0].tobytes()


def test_the_estimate_is_that_of_the_steps_at_full_size(folder):
    generator = {"type": "vqgan", "model": str(folder / "tiny.safetensors")}
    recipe = {"prompts": ["a"], "init": "noise", "size": 64, "steps": 8, "cutouts": {"count": 2}}
    found = [
        estimate(load_recipe({**recipe, "generator": {**generator, "coarse": coarse}})).step
        for coarse in (0.0, 0.5)
    ]
    assert found[0] == found[1]


def test_a_latent_of_another_size_is_not_taken_for_a_whole_one(folder, tmp_path):
    from safetensors.torch import save_file

    z = make(folder, canvases=1).latents()["z"].detach()
    save_file({"latent/z": z}, tmp_path / "whole.safetensors")
    save_file({"latent/z": z, "state/generator/coarse": torch.tensor(1.0)}, tmp_path / "coarse.safetensors")
    context = make_context((32, 24), 2, folder=tmp_path)
    for name, target, message in (
        ("coarse", make(folder), r"stopped while its steps were coarse.*resume it first"),
        ("whole", make(folder, coarse=0.5), r"generator\.coarse: 0 would work"),
    ):
        with pytest.raises(InputError, match=message), torch.no_grad():
            Run(RunConfig(checkpoint=f"{name}.safetensors"), context).start(target)


@pytest.mark.parametrize(
    "edit", [{"type": "travel", "stops": [1, 2], "every": 2}, {"type": "return", "frames": 2}]
)
def test_edits_of_the_latent_go_with_coarse_steps_and_do_not_bring_them_back(
    folder, tmp_path, edit, monkeypatch
):
    refined, refine = [], VQGAN._refine
    monkeypatch.setattr(VQGAN, "_refine", lambda self: refined.append(self._step) or refine(self))
    recipe = half_coarse(folder, steps=8)
    recipe |= {"film": {"fps": 2, "steps_per_frame": 2, "first_frame_steps": 2}, "edits": [edit]}
    pixforge.render(load_recipe(recipe), tmp_path / "out")
    assert refined == [3]


def test_what_is_set_is_shown_whatever_the_running_mean_was(folder):
    """An edit encodes its picture after some steps; the mean would show the picture from before it."""
    from pixforge.builtin.edits.latents import put, whole

    generator, other = make(folder, ema=0.99), make(folder, ema=0.99, start="codes")
    with torch.no_grad():
        for step in range(3):
            moved(generator, step)
        kept = whole(generator)
        image = other.forward(0)
        generator.encode(image)
        assert torch.equal(generator.shown(image, 3), generator.forward(3))
        put(generator, kept)
        assert torch.equal(generator.shown(image, 3), generator.forward(3))
