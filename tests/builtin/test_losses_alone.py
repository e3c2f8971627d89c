"""Each loss optimized alone does what its name says, and its values are those worked out by hand."""

import math
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import pixforge
from pixforge.builtin.blur import gaussian_blur
from pixforge.builtin.features import feature_network
from pixforge.builtin.generators.fourier import Fourier, FourierConfig
from pixforge.builtin.losses.aesthetic import Aesthetic, AestheticConfig, read_head
from pixforge.builtin.losses.detail import Detail, DetailConfig
from pixforge.builtin.losses.edge import Edge, EdgeConfig
from pixforge.builtin.losses.enforce import Enforce, EnforceConfig, Expand, ExpandConfig
from pixforge.builtin.losses.gaussian import GaussianConfig, GaussianLoss
from pixforge.builtin.losses.latent import Latent, LatentConfig
from pixforge.builtin.losses.level import Brightness, BrightnessConfig, Contrast, ContrastConfig
from pixforge.builtin.losses.palette import PaletteConfig, PaletteLoss
from pixforge.builtin.losses.range import Range, RangeConfig
from pixforge.builtin.losses.smoothness import Smoothness, SmoothnessConfig
from pixforge.builtin.losses.statistics import LatentStatistics, LatentStatisticsConfig
from pixforge.builtin.losses.style import Style, StyleConfig, relaxed_transport
from pixforge.builtin.losses.target import Target, TargetConfig, hsv_cone, sobel
from pixforge.builtin.losses.total_variation import TotalVariation, TotalVariationConfig
from pixforge.contracts import View
from pixforge.errors import InputError, UnsupportedError, WeightsError
from pixforge.media.images import to_tensor
from pixforge.search.perceptors import open_perceptors, recipe_of
from pixforge.testing import make_context
from pixforge.testing.latents import plain_generator


def ready(component, config, context, generator=None):
    loss = component(config, context)
    with torch.no_grad():
        loss.prepare(generator or plain_generator(context))
    return loss


def value(loss, image, **more):
    context = loss.context
    return loss.forward(View(image, plain_generator(context), context, 0, name="it", **more))


def optimized(loss, start=None, steps=60, rate=0.05):
    """A picture whose only aim is the loss."""
    context = loss.context
    image = context.draws.at("start").rand(3, context.height, context.width) if start is None else start
    image = image.clone().requires_grad_()
    optimizer = torch.optim.Adam([image], rate)
    for step in range(steps):
        optimizer.zero_grad()
        view = View(image, plain_generator(context), context, step, name="it")
        loss.forward(view).sum().backward()
        optimizer.step()
        with torch.no_grad():
            image.clamp_(0, 1)
    return image.detach()


SMALL = make_context((24, 16), canvases=1)


def test_palette_leaves_only_its_colors():
    loss = ready(PaletteLoss, PaletteConfig(colors="red, #0000ff"), SMALL)
    made = optimized(loss, rate=0.03, steps=100)
    red, blue = (made - torch.tensor(each)[None, :, None, None] for each in ([1.0, 0, 0], [0, 0, 1.0]))
    assert torch.minimum(red.abs().amax(1), blue.abs().amax(1)).mean() < 0.05


def test_edge_colors_the_margin_alone():
    start = torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(1))
    loss = ready(Edge, EdgeConfig(color="red", width=0.125), SMALL)
    made = optimized(loss, start)
    red = torch.tensor([1.0, 0, 0])[None, :, None, None]
    assert (made - red)[..., :2, :].abs().max() < 0.02
    assert (made - red)[..., -3:].abs().max() < 0.02
    assert torch.equal(made[..., 2:-2, 3:-3], start[..., 2:-2, 3:-3])
    half = ready(Edge, EdgeConfig(color="black", margins=(0, 0, 0, 0.5)), SMALL)  # the lower half
    assert float(value(half, torch.full((1, 3, 16, 24), 0.5))) == pytest.approx(0.25)
    whole = ready(Edge, EdgeConfig(color="black", everywhere=2), SMALL)
    assert float(value(whole, torch.full((1, 3, 16, 24), 0.5))) == pytest.approx(0.25 + 2 * 0.25)


def test_edge_takes_colors_and_place_from_pictures(tmp_path):
    Image.new("RGB", (24, 16), (0, 0, 255)).save(tmp_path / "blue.png")
    mask = Image.new("L", (24, 16), 0)
    mask.paste(255, (0, 0, 12, 16))
    mask.save(tmp_path / "mask.png")
    context = make_context((24, 16), canvases=1, folder=tmp_path)
    made = optimized(ready(Edge, EdgeConfig(image="blue.png", mask="mask.png"), context))
    assert made[:, 2, :, :12].min() > 0.97
    assert made[:, :2, :, :12].max() < 0.03
    assert made[..., 12:].std() > 0.2  # as random as before
    with pytest.raises(ValueError, match="width 0 is none"):
        EdgeConfig(width=0)


def test_gaussian_frees_the_middle():
    loss = ready(GaussianLoss, GaussianConfig(color="white", spread=0.1), SMALL)
    start = torch.zeros(1, 3, 16, 24)
    made = optimized(loss, start, steps=30)
    assert made[0, :, 0, 0].min() > 0.9
    gradient = torch.autograd.grad(value(loss, start.requires_grad_()).sum(), start)[0].abs()
    assert gradient[0, 0, 8, 12] < 0.15 * gradient[0, 0, 0, 0]
    one = make_context((1, 1), canvases=1)
    corner = ready(GaussianLoss, GaussianConfig(color="black", spread=0.5, center=(0, 0)), one)
    # the only pixel's center is one deviation away in both directions: 1 - exp(-1)
    assert float(value(corner, torch.ones(1, 3, 1, 1))) == pytest.approx(1 - math.exp(-1))


def test_total_variation_adds_both_directions():
    two = make_context((2, 2), canvases=1)
    picture = torch.tensor([[0.0, 0.3], [0.4, 0.9]]).expand(1, 3, 2, 2)
    squared = value(ready(TotalVariation, TotalVariationConfig(), two), picture)
    # right: .3 and .5, down: .4 and .6; one side of 2 pixels instead of 256
    assert float(squared) == pytest.approx(((0.09 + 0.25) / 2 + (0.16 + 0.36) / 2) * 2 / 256)
    absolute = value(ready(TotalVariation, TotalVariationConfig(form="absolute"), two), picture)
    assert float(absolute) == pytest.approx((0.4 + 0.5) * 2 / 256)
    made = optimized(ready(TotalVariation, TotalVariationConfig(), SMALL), rate=0.02)
    assert made.diff(dim=-1).abs().mean() < 0.05


def test_smoothness_looks_past_noise_and_far():
    stripes = torch.tensor([0.0, 1.0]).repeat(12).expand(1, 3, 16, 24)
    assert float(value(ready(Smoothness, SmoothnessConfig(distance=2), SMALL), stripes)) < 1e-5
    assert float(value(ready(Smoothness, SmoothnessConfig(), SMALL), stripes)) > 0.04
    assert float(value(ready(Smoothness, SmoothnessConfig(blur=4), SMALL), stripes)) < 0.005
    ramp = torch.linspace(0, 0.23, 24).expand(1, 3, 16, 24)  # .01 a pixel, however far apart
    for distance in (1, 5):
        got = value(ready(Smoothness, SmoothnessConfig(distance=distance), SMALL), ramp)
        assert float(got) == pytest.approx(0.01 * 24 / 256, rel=1e-3)


def test_a_blur_keeps_the_mean_and_flat_pictures():
    dot = torch.zeros(1, 1, 21, 21)
    dot[..., 10, 10] = 1
    blurred = gaussian_blur(dot, 2.0)
    assert blurred.sum() == pytest.approx(1, abs=1e-4)
    assert blurred[0, 0, 10, 10] == pytest.approx(1 / (2 * math.pi * 4), rel=0.02)
    assert gaussian_blur(torch.full((1, 3, 4, 4), 0.3), 30).sub(0.3).abs().max() < 1e-5


def test_detail_sharpens_and_its_opposite_softens():
    start = gaussian_blur(SMALL.draws.at("x").rand(3, 16, 24), 2)
    loss = ready(Detail, DetailConfig(), SMALL)
    sharp = optimized(loss, start, steps=20)
    assert value(loss, sharp) < 3 * value(loss, start) < 0
    assert float(value(loss, torch.full_like(start, 0.4))) == pytest.approx(0, abs=1e-6)
    assert float(value(ready(Detail, DetailConfig(most=0.1), SMALL), sharp)) >= -0.1


def test_brightness_and_contrast_pull_to_their_levels():
    flat = torch.full((1, 3, 16, 24), 0.75)
    assert float(value(ready(Brightness, BrightnessConfig(level=0.25), SMALL), flat)) == pytest.approx(2.5)
    halves = torch.tensor([0.2, 0.6]).repeat(12).expand(1, 3, 16, 24)
    assert float(value(ready(Contrast, ContrastConfig(level=0.1), SMALL), halves)) == pytest.approx(
        0.1, rel=1e-3
    )
    assert optimized(ready(Brightness, BrightnessConfig(level=0.2), SMALL)).mean() == pytest.approx(
        0.2, abs=0.02
    )
    assert optimized(ready(Contrast, ContrastConfig(level=0.1), SMALL)).std() == pytest.approx(0.1, abs=0.02)


def unit(*rows):
    return torch.nn.functional.normalize(torch.tensor([list(rows)], dtype=torch.float32), dim=-1)


def test_enforce_compares_the_halves_of_the_cutouts():
    loss = ready(Enforce, EnforceConfig(), SMALL)
    blank = torch.zeros(1, 3, 16, 24)
    assert float(value(loss, blank, embeddings={"a": unit([1, 0], [0, 1], [1, 0], [0, 1])})) == pytest.approx(
        0
    )
    assert float(
        value(loss, blank, embeddings={"a": unit([1, 0], [1, 0], [0, 1], [-1, 0])})
    ) == pytest.approx(1.5)
    assert float(value(loss, blank, embeddings={"a": unit([1, 0])})) == pytest.approx(0)


def test_expand_compares_with_the_step_before():
    loss = ready(Expand, ExpandConfig(), SMALL)
    generator, blank = plain_generator(SMALL), torch.zeros(1, 3, 16, 24)

    def at(step, *rows):
        return float(loss.forward(View(blank, generator, SMALL, step, embeddings={"a": unit(*rows)})))

    assert at(0, [1, 0], [1, 0]) == 0
    assert at(1, [1, 0], [0, 1]) == pytest.approx(math.sqrt(0.5))
    assert at(1, [1, 0], [0, 1]) == pytest.approx(math.sqrt(0.5))  # asked again, it says the same
    kept = loss.state()
    loss.load_state({})  # back to before it had looked
    assert at(0, [1, 0], [1, 0]) == 0
    loss.load_state(kept)
    assert at(2, [-1, -1]) == pytest.approx(-1)
    loss = ready(Expand, ExpandConfig(), SMALL)
    loss.load_state(kept)
    assert at(2, [-1, -1]) == pytest.approx(-1)


def test_statistics_of_the_latent_are_compared():
    context = make_context((8, 8), canvases=2)
    generator = plain_generator(context)
    start = ready(LatentStatistics, LatentStatisticsConfig(), context, generator)
    normal = ready(LatentStatistics, LatentStatisticsConfig(of="normal"), context, generator)
    view = View(torch.zeros(2, 3, 8, 8), generator, context, 0)
    assert start.forward(view).max() < 1e-5
    with torch.no_grad():
        generator.latents()["grid0"].mul_(2)
    assert start.forward(view).tolist() == pytest.approx(
        [1, 1], abs=0.15
    )  # twice as wide, and the mean moved a little
    with torch.no_grad():  # plus and minus 1: mean 0, deviation 1, skewness 0, kurtosis 1 instead of 3
        generator.latents()["grid0"].copy_(torch.tensor([1.0, -1.0]).repeat(4).expand(2, 3, 8, 8))
    assert normal.forward(view).tolist() == pytest.approx([0.2, 0.2], abs=1e-4)


def test_a_linear_head_scores(tmp_path):
    save_file(
        {"weight": torch.tensor([[3.0, 4.0]]), "bias": torch.tensor([1.0])}, tmp_path / "head.safetensors"
    )
    torch.save(
        {"layers.0.weight": torch.tensor([[1.0, 0], [0, 2]]), "layers.0.bias": torch.tensor([1.0, 0]),
         "layers.2.weight": torch.tensor([[3.0, 2.0]]), "layers.2.bias": torch.tensor([-2.0])},
        tmp_path / "head.pth",
    )  # fmt: skip
    context = make_context((8, 8), canvases=1, folder=tmp_path)
    blank = torch.zeros(1, 3, 8, 8)
    for name in ("head.safetensors", "head.pth"):  # the second's layers multiply to the first
        loss = ready(Aesthetic, AestheticConfig(head=name, target=8), context)
        seen = {"a": unit([1, 0], [0, 1])}  # scores 4 and 5
        assert float(value(loss, blank, embeddings=seen)) == pytest.approx(0.02 * (16 + 9) / 2)
        assert loss.provenance()["sha256"]
    with pytest.raises(InputError, match="embeddings of 2 numbers, the perceptor's have 3"):
        value(loss, blank, embeddings={"a": unit([1, 0, 0])})


def test_the_head_that_ships_prefers_a_clean_drawing():
    """The README's picture against itself with blotches, with grain, and with its pieces in another order."""
    drawing = (
        Image.open(Path(__file__).parents[2] / "docs/images/quickstart.png").convert("RGB").resize((64, 64))
    )
    clean = to_tensor(drawing)[None]
    numbers = torch.Generator().manual_seed(1)
    blotches = torch.rand(1, 3, 8, 8, generator=numbers).repeat_interleave(8, 2).repeat_interleave(8, 3)
    grain = (clean + torch.randn(clean.shape, generator=numbers) * 0.3).clamp(0, 1)
    cells = torch.nn.functional.unfold(clean, 8, stride=8)[..., torch.randperm(64, generator=numbers)]
    jumbled = torch.nn.functional.fold(cells, (64, 64), 8, stride=8)
    perceptor = open_perceptors(recipe_of("embedded", device="cpu"))[0].perceptor
    loss = ready(Aesthetic, AestheticConfig(), make_context((64, 64), canvases=1))
    with torch.no_grad():
        seen = perceptor.encode_image(torch.cat([clean, clean.lerp(blotches, 0.6), grain, jumbled]))
    best, *others = (float(value(loss, clean, embeddings={"a": each.view(1, 1, -1)})) for each in seen)
    assert best < 0.4 * min(others)
    assert loss.provenance()["name"] == "aesthetic.safetensors"


def test_a_head_that_is_not_there_is_refused_before_anything_is_built(tmp_path):
    with pytest.raises(InputError, match=r"head 'mine\.pth': there is no such file; 'embedded' ships"):
        pixforge.load_recipe({"prompts": ["a"], "losses": [{"type": "aesthetic", "head": "mine.pth"}]})


@pytest.mark.parametrize(
    "tensors",
    [{"weight": torch.ones(2, 3)}, {"bias": torch.ones(1)}, {"weight": torch.ones(1, 2, 3)},
     {"weight": torch.full((1, 2), float("nan"))}, {"weight": torch.ones(1, 2), "bias": torch.ones(5)},
     {"0.weight": torch.ones(3, 2), "1.weight": torch.ones(1, 4)}],
)  # fmt: skip
def test_what_is_no_head_is_refused(tensors, tmp_path):
    save_file(tensors, tmp_path / "head.safetensors")
    with pytest.raises(WeightsError, match=r"head\.safetensors"):
        read_head(tmp_path / "head.safetensors")


def test_sobel_and_the_cone_of_hues():
    ramp = torch.linspace(0, 0.4, 5).expand(1, 3, 5, 5)
    across, down = sobel(ramp)[0, :, 2, 2]
    assert float(across) == pytest.approx(0.1, rel=1e-3)
    assert float(down) == pytest.approx(0, abs=1e-6)
    colors = torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [0.5, 0.5, 0.5]]).T[None, :, :, None]
    red, green, gray = hsv_cone(colors)[0, :, :, 0].T
    assert red.tolist() == pytest.approx([1, 0, 1])
    assert green.tolist() == pytest.approx([-0.5, math.sqrt(0.75), 1])  # 120 degrees
    assert gray.tolist() == pytest.approx([0, 0, 0.5])


@pytest.fixture
def picture(tmp_path):
    image = Image.new("RGB", (48, 32), (240, 230, 40))
    image.paste((20, 40, 160), (8, 8, 28, 24))
    image.save(tmp_path / "picture.png")
    return make_context((48, 32), canvases=1, folder=tmp_path)


@pytest.mark.parametrize("distance", ["mse", "l1", "edges", "hsv", "features"])
def test_a_target_is_approached(distance, picture):
    loss = ready(Target, TargetConfig(image="picture.png", distance=distance), picture)
    wanted = picture.read_image("picture.png").unsqueeze(0)
    assert float(value(loss, wanted)) < 1e-5
    start = torch.full_like(wanted, 0.5) + picture.draws.at("n").randn(3, 32, 48) * 0.02
    made = optimized(loss, start, steps=25)
    assert value(loss, made) < 0.5 * value(loss, start)
    if distance in {"mse", "l1", "hsv"}:
        assert (made - wanted).abs().mean() < 0.5 * (start - wanted).abs().mean()


def test_without_a_picture_the_start_is_the_target(picture):
    generator = plain_generator(picture)
    loss = ready(Target, TargetConfig(distance="l1"), picture, generator)
    start = generator.forward(0).detach()
    assert float(value(loss, start)) == 0
    assert float(value(loss, start + 0.1)) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="`network` is for"):
        TargetConfig(network="x.pth")


def test_the_latent_of_a_picture_is_a_target_where_there_is_one(picture):
    spectrum = Fourier(FourierConfig(), picture)
    before = spectrum.latents()["spectrum"].detach().clone()
    loss = ready(Latent, LatentConfig(image="picture.png"), picture, spectrum)
    assert torch.equal(spectrum.latents()["spectrum"], before)
    view = View(torch.zeros(1, 3, 32, 48), spectrum, picture, 0)
    far = float(loss.forward(view).detach())
    with torch.no_grad():
        spectrum.encode(picture.read_image("picture.png").unsqueeze(0))
    assert float(loss.forward(view).detach()) < 1e-6 < far
    with pytest.raises(UnsupportedError, match="keeps a picture beside"):
        ready(Latent, LatentConfig(image="picture.png"), picture)


def test_the_latents_of_several_pictures_are_averaged(picture):
    """With fourier latents are linear in the logits of colors: the mean of gray and white's is that of one between."""
    for name, level in (("gray.png", 128), ("light.png", 230)):
        Image.new("RGB", (48, 32), (level,) * 3).save(picture.folder / name)
    spectrum = Fourier(FourierConfig(), picture)
    loss = ready(Latent, LatentConfig(image=["gray.png", "light.png", "gray.png"]), picture, spectrum)
    view = View(torch.zeros(1, 3, 32, 48), spectrum, picture, 0)
    logits = [math.log(level / (255 - level)) for level in (128, 230)]
    with torch.no_grad():
        spectrum.encode(torch.full((1, 3, 32, 48), (2 * logits[0] + logits[1]) / 3).sigmoid())
    assert float(loss.forward(view).detach()) < 1e-6
    with pytest.raises(ValueError, match="at least 1 item"):
        LatentConfig(image=[])


def test_relaxed_transport_is_the_larger_way():
    here = torch.tensor([[[1.0, 0], [1.0, 0]]])
    there = torch.tensor([[[2.0, 0], [0, 1.0]]])
    # from here to there costs 0 twice, back 0 and 1
    assert float(relaxed_transport(here, there)) == pytest.approx(0.5)
    # .0, .0 to (2, 0): 1 and 1; back 1 and sqrt(2)
    expected = (1 + math.sqrt(2)) / 2
    assert float(relaxed_transport(here, there, euclidean=True)) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("form", ["transport", "gram"])
def test_style_brings_the_colors_of_a_picture(form, picture):
    loss = ready(Style, StyleConfig(image="picture.png", form=form, samples=64, side=48), picture)
    wanted = picture.read_image("picture.png").unsqueeze(0)
    start = picture.draws.at("s").rand(3, 32, 48)
    assert value(loss, wanted) < 0.2 * value(loss, start)
    made = optimized(loss, start, steps=25)
    assert value(loss, made) < 0.6 * value(loss, start)
    there = wanted.mean(dim=(2, 3))
    assert (made.mean(dim=(2, 3)) - there).abs().mean() < (start.mean(dim=(2, 3)) - there).abs().mean()


def vgg(depths, scale=0.1):
    tensors, index, channels = {}, 0, 3
    for width, depth in zip((64, 128, 256, 512, 512), depths, strict=True):
        for _ in range(depth):
            tensors[f"features.{index}.weight"] = torch.randn(width, channels, 3, 3).half() * scale
            tensors[f"features.{index}.bias"] = torch.zeros(width).half()
            index, channels = index + 2, width
        index += 1
    return tensors


def test_vgg_files_are_those_of_torchvision(tmp_path):
    context = make_context((32, 32), canvases=1, folder=tmp_path)
    tensors = vgg((2, 2, 3, 3, 3))
    save_file(tensors, tmp_path / "vgg.safetensors")
    network = feature_network("vgg.safetensors", context)
    assert network.provenance()["name"] == "VGG-16"
    seen = network.see(torch.rand(1, 3, 32, 32))
    assert [tuple(each.shape[1:]) for each in seen] == [
        (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 2, 2)]  # fmt: skip
    for name in ("features.0.weight", "features.5.bias"):
        save_file({key: each for key, each in tensors.items() if key != name}, tmp_path / "bad.safetensors")
        with pytest.raises(WeightsError, match=r"bad\.safetensors"):
            feature_network("bad.safetensors", context)


def test_the_linear_range_costs_what_lies_outside():
    loss = ready(Range, RangeConfig(low=0.1, high=0.9, form="linear"), SMALL)
    assert float(value(loss, torch.full((1, 3, 16, 24), 0.95))) == pytest.approx(0.5)
