"""Augmentations that bend, crop and sharpen, the pooled whole picture, and the sheet of cutouts."""

import pytest
import torch
from PIL import Image

from pixforge.builtin.augmentations.bend import (
    Elastic,
    ElasticConfig,
    ThinPlate,
    ThinPlateConfig,
    thin_plate_basis,
)
from pixforge.builtin.augmentations.crop import Crop, CropConfig
from pixforge.builtin.augmentations.sharpness import Sharpness, SharpnessConfig
from pixforge.builtin.cutouts.pooled import Pooled, PooledConfig
from pixforge.cli.main import main
from pixforge.engine.cutouts import CutoutSampler, pooled
from pixforge.testing import make_context

SCENE = make_context((32, 32), canvases=1)


def applied(component, config, cutouts):
    return component(config, SCENE).apply(cutouts, SCENE.draws.at("x"), 0)


@pytest.mark.parametrize(("component", "config"), [(Elastic, ElasticConfig), (ThinPlate, ThinPlateConfig)])
def test_bending_moves_pixels_and_without_strength_nothing(component, config):
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 3, 32, 32)
    assert (applied(component, config(strength=0), ramp) - ramp).abs().max() < 1e-5
    bent = applied(component, config(strength=0.1, probability=1), ramp)
    moved = (bent - ramp).abs()
    assert 0.01 < moved.mean() < 0.15
    assert (bent[0, 0] - bent[0, 1]).abs().max() > 0.02  # each cutout in its own way
    assert bent.diff(dim=-2).abs().max() < 0.2  # smoothly


def test_a_thin_plate_goes_through_its_points():
    basis = thin_plate_basis(31).view(31, 31, 5)
    assert basis[15, 15].tolist() == pytest.approx(
        [0, 0, 0, 0, 1], abs=1e-6
    )  # the middle moves with its point alone
    assert basis.sum(dim=-1).sub(1).abs().max() < 1e-6  # all moved alike, all pixels move alike
    assert basis[0, 0, 0] > 0.9


def test_a_crop_lies_inside():
    matrices = Crop(CropConfig(scale=(0.25, 0.5)), SCENE).warp(SCENE.draws.at("x", device="cpu"), 200, 0)
    corners = torch.tensor([[-1.0, -1, 1], [1, 1, 1]]).T
    mapped = (matrices @ corners)[..., :2, :]
    assert mapped.abs().max() <= 1 + 1e-6
    area = matrices[..., 0, 0] * matrices[..., 1, 1]
    assert 0.2 <= area.min() < area.max() <= 0.5 + 1e-6
    with pytest.raises(ValueError, match="is above the largest"):
        CropConfig(scale=(0.9, 0.5))


def test_sharpness_goes_both_ways():
    cutouts = torch.rand(1, 40, 3, 16, 16)
    made = applied(Sharpness, SharpnessConfig(amount=1, probability=1), cutouts)
    change = made.flatten(2).std(dim=-1) / cutouts.flatten(2).std(dim=-1)
    assert change.min() < 0.8
    assert change.max() > 1.1
    assert torch.equal(applied(Sharpness, SharpnessConfig(probability=0), cutouts), cutouts)


def test_pooling_is_half_mean_and_half_maximum():
    image = torch.tensor([[0.0, 0.4], [0.2, 1.0]])[None, None].expand(1, 3, 2, 2)
    assert pooled(image, 1).flatten().tolist() == pytest.approx([(0.4 + 1) / 2] * 3)
    sampler = CutoutSampler(Pooled(PooledConfig(count=3), SCENE), [], SCENE)
    picture = torch.rand(1, 3, 48, 64)
    cutouts = sampler.cut(picture, sampler.plan((64, 48), 0, 16), 16)
    assert cutouts.shape == (1, 3, 3, 16, 16)
    torch.testing.assert_close(cutouts[:, 2], pooled(picture, 16), atol=1e-5, rtol=0)


def test_the_sheet_shows_every_cutout(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fake.py").write_text("from pixforge.testing.fake import pixforge_perceptors\n")
    (tmp_path / "r.yaml").write_text(
        "{prompts: [red], plugins: [fake.py], perceptors: [fake], size: 32, generator: pixels, init: noise, seed: 1,"
        " cutouts: {type: random, count: 6}, augmentations: []}"
    )
    Image.new("RGB", (40, 40), "red").save("red.png")
    assert main(["cutouts", "r.yaml", "-o", "sheet.png", "--image", "red.png"]) == 0
    assert "6 cutouts of 16 x 16 pixels" in capsys.readouterr().out
    with Image.open("sheet.png") as file:
        sheet = file.copy()
    assert sheet.size == (3 * 20 + 4, 2 * 20 + 4)
    assert all(
        sheet.getpixel((4 + 20 * x + 8, 4 + 20 * y + 8)) == (255, 0, 0) for x in range(3) for y in range(2)
    )
    for arguments in (
        ["-o", "sheet.txt"],
        ["-o", "s.png", "--step", "999"],
        ["-o", "s.png", "--image", "none.png"],
    ):
        assert main(["cutouts", "r.yaml", *arguments]) == 2
        assert not (tmp_path / "s.png").exists()
