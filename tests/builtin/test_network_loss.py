"""A loss by a network in an ONNX file; a tiny one is written here: it gives what is red."""

import pytest
import torch
from tiny_onnx import red_is_near

import pixforge
from pixforge.builtin.losses.network import Network, NetworkConfig
from pixforge.contracts import View
from pixforge.errors import WeightsError
from pixforge.testing import make_context
from pixforge.testing.latents import plain_generator

pytest.importorskip("onnx2torch", reason='no onnx2torch: pip install "pixforge[onnx]"')
FIELDS = {"model": "red.onnx", "side": 16, "normalization": "none"}


def ready(folder, size=(16, 16), canvases=1, **fields):
    red_is_near(folder / "red.onnx", side=16)
    context = make_context(size, canvases, folder=folder)
    loss = Network(NetworkConfig(**{**FIELDS, **fields}), context)
    generator = plain_generator(context)
    loss.prepare(generator)
    return loss, lambda image: loss.forward(View(image, generator, context, 0, name="it"))


def test_a_score_is_pulled_to_a_number(tmp_path):
    _, value = ready(tmp_path, canvases=2, target=0.75)
    images = torch.tensor([0.5, 0.75]).view(2, 1, 1, 1).expand(2, 3, 16, 16).clone().requires_grad_()
    found = value(images)
    assert found.tolist() == pytest.approx([0.0625, 0])  # (.5 - .75)^2
    found.sum().backward()
    assert images.grad[0, 0].max() < 0  # more red
    assert images.grad[0, 1:].abs().max() == images.grad[1].abs().max() == 0


def test_a_map_should_be_that_of_a_picture_whatever_its_unit(tmp_path):
    half = torch.zeros(1, 3, 16, 16)
    half[:, 0, :, 8:] = 1
    save(half, tmp_path / "half.png")
    _, value = ready(tmp_path, image="half.png")
    assert float(value(half)) < 1e-4
    blue = half.flip(1)
    # Nothing is red: 0 and 1 against 0, mean .5, over the variance of halves of 0 and 1, 256 / 255 / 4.
    assert float(value(blue)) == pytest.approx(0.5 / (256 / 255 / 4), rel=1e-3)


def save(image, path):
    from pixforge.media.images import to_pil

    to_pil(image[0].mul(255).byte().permute(1, 2, 0).numpy()).save(path)


def test_the_first_picture_is_kept_when_nothing_is_said(tmp_path):
    loss, value = ready(tmp_path)
    start = plain_generator(loss.context).forward(0).detach()
    assert float(value(start)) < 1e-6
    assert loss.provenance()["name"] == "red.onnx"


def test_a_run_becomes_red(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    red_is_near(tmp_path / "red.onnx", side=16)
    recipe = pixforge.load_recipe(
        {
            "prompts": ["a"], "size": 16, "steps": 25, "seed": 1, "generator": "pixels", "init": "noise",
            "cutouts": {"count": 1}, "losses": [{"type": "network", **FIELDS, "target": 1, "weight": 50}], "exporters": ["still"],
        }
    )  # fmt: skip
    red, green, _ = pixforge.render(recipe, tmp_path / "out").images[0].resize((1, 1)).getpixel((0, 0))
    assert red > 180
    assert abs(green - 128) < 40


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "onnx2torch cannot convert it|cannot be read"),
        (b"not a network", "cannot be read as an ONNX file"),
    ],
)
def test_what_is_no_network_is_refused(tmp_path, content, says):
    from pixforge.builtin.onnx_file import read_onnx

    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(WeightsError, match=says):
        read_onnx(tmp_path / "bad.onnx")


def test_a_score_and_a_picture_are_not_wanted_at_once():
    with pytest.raises(ValueError, match="either `target` or `image`"):
        NetworkConfig(model="red.onnx", target=1, image="x.png")


def test_a_single_number_is_kept_in_its_own_unit(tmp_path):
    """It has no variance to be divided by; the mean red of an image of .25 is .25 away from that of one of .5."""
    red_is_near(tmp_path / "mean.onnx", side=16, cell=16)
    save(torch.full((1, 3, 16, 16), 0.5), tmp_path / "half.png")
    _, value = ready(tmp_path, model="mean.onnx", image="half.png")
    images = torch.full((1, 3, 16, 16), 0.25, requires_grad=True)
    found = value(images)
    assert found.tolist() == pytest.approx([0.0625], abs=2e-3)  # half is 127 of 255 in the file
    found.sum().backward()
    assert images.grad[0, 0].max() < 0  # more red


def test_the_report_names_the_loss_not_its_file(tmp_path):
    red_is_near(tmp_path / "red.onnx", side=16)
    (tmp_path / "fake.py").write_text("from pixforge.testing import pixforge_perceptors\n")
    recipe = {
        "prompts": ["red"], "plugins": [str(tmp_path / "fake.py")], "perceptors": ["fake"], "size": 16, "steps": 1,
        "generator": "pixels", "init": "noise", "augmentations": [], "cutouts": {"count": 1},
        "losses": [{"type": "network", "side": 16, "model": str(tmp_path / "red.onnx")}] * 2,
    }  # fmt: skip
    [report] = pixforge.optimize(pixforge.load_recipe(recipe))
    assert set(report.losses) == {"prompt", "network", "network-2", "total"}
