"""Upscaling with a network from a file: tiny random ones of Real-ESRGAN's compact architecture are written here."""

import importlib.util
import sys

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import pixforge
from pixforge.builtin.filters.upscale import Upscale, UpscaleConfig
from pixforge.errors import InputError, WeightsError
from pixforge.testing import make_context

needs_spandrel = pytest.mark.skipif(
    importlib.util.find_spec("spandrel") is None,
    reason='spandrel is not installed: pip install "pixforge[upscale]"',
)


def compact(factor=2, features=4, channels=3, seed=0):
    """Names and tensors of spandrel's `Compact`: two convolutions, an activation between; it adds what it makes to the
    picture enlarged plainly, so that with small weights it is nearly that."""
    draws = torch.Generator().manual_seed(seed)
    last = channels * factor**2
    shapes = {
        "body.0.weight": (features, channels, 3, 3),
        "body.0.bias": (features,),
        "body.1.weight": (features,),
        "body.2.weight": (features, features, 3, 3),
        "body.2.bias": (features,),
        "body.3.weight": (features,),
        "body.4.weight": (last, features, 3, 3),
        "body.4.bias": (last,),
    }
    return {name: 0.1 * torch.randn(shape, generator=draws) for name, shape in shapes.items()}


def filter_of(folder, tensors, size=(40, 24), **fields):
    save_file(tensors, folder / "net.safetensors")
    return Upscale(UpscaleConfig(model="net.safetensors", **fields), make_context(size, 1, folder=folder))


def run(each, image):
    return each.forward(image, each.context.draws.at("x"), 0)


@needs_spandrel
def test_a_network_of_zeros_enlarges_like_nearest_and_tiles_have_no_seam(tmp_path):
    image = torch.rand(2, 3, 24, 40, generator=torch.Generator().manual_seed(1))
    zeros = {name: torch.zeros_like(each) for name, each in compact().items()}
    made = run(filter_of(tmp_path, zeros), image)
    assert torch.equal(made, image.repeat_interleave(2, -1).repeat_interleave(2, -2))
    (tmp_path / "net.safetensors").unlink()
    whole = run(filter_of(tmp_path, compact()), image * 0.4 + 0.3)
    tiles = run(filter_of(tmp_path, compact(), tile=32), image * 0.4 + 0.3)
    assert (whole - made).abs().max() > 0.05
    torch.testing.assert_close(tiles, whole, atol=1e-6, rtol=0)


@needs_spandrel
def test_another_factor_and_an_alpha_channel(tmp_path):
    image = torch.rand(1, 4, 24, 40)
    made = run(filter_of(tmp_path, compact(factor=4), factor=2), image)
    assert made.shape == (1, 4, 48, 80)
    assert float(made[:, 3].mean()) == pytest.approx(float(image[:, 3].mean()), abs=0.02)


@needs_spandrel
def test_written_pictures_alone_are_enlarged(tmp_path, monkeypatch):
    """The photo that is kept is there to the bit, in the larger picture too; the run is the same with and without."""
    monkeypatch.chdir(tmp_path)
    save_file(compact(), "net.safetensors")
    Image.new("RGB", (64, 64), (200, 30, 60)).save("photo.png")
    fields = {
        "prompts": ["a red heart"],
        "seed": 1,
        "size": 32,
        "steps": 2,
        "init": "noise",
        "generator": "pixels",
        "exporters": [{"type": "still", "every": 1}],
        "keep": {"image": "photo.png", "where": "left"},
    }
    plain = pixforge.render(pixforge.load_recipe(fields), tmp_path / "plain")
    fields["filters"] = [{"type": "upscale", "model": "net.safetensors"}]
    large = pixforge.render(pixforge.load_recipe(fields), tmp_path / "large")
    assert large.metrics == plain.metrics
    for picture in (large.images[0], Image.open(tmp_path / "large" / "image-step-00001.png")):
        assert picture.size == (64, 64)
        assert picture.getpixel((3, 40)) == (200, 30, 60)
    assert large.manifest["components"]["filter/0-upscale"]["architecture"] == "RealESRGAN Compact"


@needs_spandrel
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"body.999999999.weight": torch.zeros(1)}, "more than 1000 layers"),
        ({"body.900.weight": torch.zeros(4)}, "no network can be made of it"),
        ({"body.0.weight": torch.zeros(6_000, 3, 1, 1)}, "no network can be made of it .*much more memory"),
        ({"body.0.weight": torch.full((4, 3, 3, 3), torch.nan)}, "not finite"),
        ({"body.2.weight": torch.zeros(4, 4, 5, 5)}, "no network can be made of it"),
        ({"body.2.bias": None}, "no network can be made of it"),
        ({"body.0.weight": None}, "no network that spandrel"),
    ],
)
def test_hostile_networks_are_one_line(tmp_path, change, reason):
    tensors = {name: each for name, each in {**compact(), **change}.items() if each is not None}
    with pytest.raises(WeightsError, match=reason) as caught:
        filter_of(tmp_path, tensors)
    assert "\n" not in str(caught.value)


@needs_spandrel
@pytest.mark.parametrize(
    ("tensors", "reason"),
    [(compact(factor=1), "is for Restoration, makes them 1"), (compact(channels=1), "1 channels in")],
)
def test_other_networks_are_refused(tmp_path, tensors, reason):
    with pytest.raises(WeightsError, match=reason):
        filter_of(tmp_path, tensors)


@needs_spandrel
def test_what_cannot_be_is_said_before_the_run(tmp_path):
    with pytest.raises(InputError, match="at most 256 megapixels"):
        filter_of(tmp_path, compact(factor=4), size=(8192, 8192))
    (tmp_path / "net.pth").write_bytes(b"cos\nsystem\n(S'touch escaped'\ntR.")
    with pytest.raises(WeightsError, match="cannot be read"):
        Upscale(UpscaleConfig(model="net.pth"), make_context((8, 8), 1, folder=tmp_path))


@needs_spandrel
def test_real_esrgans_envelope_is_opened(tmp_path):
    torch.save({"params_ema": compact()}, tmp_path / "net.pth")
    each = Upscale(UpscaleConfig(model="net.pth"), make_context((8, 8), 1, folder=tmp_path))
    assert run(each, torch.rand(1, 3, 8, 8)).shape == (1, 3, 16, 16)


def test_without_spandrel_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(InputError, match=r'pip install "pixforge\[upscale\]"'):
        filter_of(tmp_path, compact())


def embedded(size=(40, 24), **fields):
    return Upscale(UpscaleConfig(model="embedded", **fields), make_context(size, 1))


def soft_disk(side=128, softness=7.0):
    """A red disk on white whose outline is `softness` pixels wide."""
    axis = torch.arange(side) - side / 2 + 0.5
    inside = ((0.3 * side - (axis[:, None].square() + axis.square()).sqrt()) / softness + 0.5).clamp(0, 1)
    red = torch.tensor([0.85, 0.15, 0.2])[:, None, None]
    return (red * inside + (1 - inside))[None]


def steepest(image):
    """The steepest slope along the middle row."""
    return float(image[0, 1, image.shape[-2] // 2].diff().abs().max())


@pytest.mark.parametrize("factor", [None, 4])
def test_the_network_that_ships_makes_a_soft_outline_sharp(factor):
    disk = soft_disk()
    made = run(embedded((128, 128), factor=factor), disk)
    times = factor or 2
    assert made.shape == (1, 3, 128 * times, 128 * times)
    plain = torch.nn.functional.interpolate(disk, scale_factor=times, mode="bicubic")
    assert steepest(made) > 1.6 * steepest(plain)
    middle, corner = made[0, :, 64 * times, 64 * times], made[0, :, 8, 8]
    assert middle.tolist() == pytest.approx([0.85, 0.15, 0.2], abs=0.05)
    assert corner.tolist() == pytest.approx([1, 1, 1], abs=0.05)


def test_tiles_of_the_network_that_ships_have_no_seam():
    image = torch.rand(1, 3, 20, 50, generator=torch.Generator().manual_seed(1))
    image = torch.nn.functional.interpolate(image, scale_factor=4, mode="bicubic").clamp(0, 1)
    whole, tiles = (run(embedded((200, 80), factor=4, tile=tile), image) for tile in (256, 32))
    torch.testing.assert_close(tiles, whole, atol=2e-5, rtol=0)


def test_the_network_that_ships_is_meant_though_a_file_is_called_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "embedded").write_bytes(b"no network")
    fields = {
        "prompts": ["a red heart"],
        "size": 32,
        "steps": 1,
        "init": "noise",
        "generator": "pixels",
        "exporters": ["still"],
        "filters": [{"type": "upscale", "model": "embedded"}],
    }
    made = pixforge.render(pixforge.load_recipe(fields), tmp_path / "out")
    assert made.images[0].size == (64, 64)
    assert "model: embedded" in (tmp_path / "out" / "recipe.yaml").read_text()
    assert made.manifest["components"]["filter/0-upscale"]["name"] == "sharpener.safetensors"


def test_a_file_that_is_not_there_is_said_when_the_recipe_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fields = {"prompts": ["a red heart"], "filters": [{"type": "upscale", "model": "net.pth"}]}
    with pytest.raises(InputError, match=r"filters\[0\]\.model: there is no file .*net\.pth"):
        pixforge.load_recipe(fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "embedded", "where": {"side": "left"}}, r"filters\[0\].*enlarges the whole picture"),
        ({"model": "Embedded"}, "there is no file .*Did you mean 'embedded'"),
        ({"model": ""}, r"filters\[0\]\.model"),
    ],
)
def test_what_cannot_be_is_said_when_the_recipe_is_read(fields, message):
    with pytest.raises(InputError, match=message):
        pixforge.load_recipe({"prompts": ["a red heart"], "filters": [{"type": "upscale", **fields}]})
