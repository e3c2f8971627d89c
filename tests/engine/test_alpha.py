"""Pictures with alpha: what perceptors, losses, regions, edits and files make of them."""

from __future__ import annotations

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from PIL import Image

import pixforge
from pixforge.builtin.cutouts.random import Random, RandomConfig
from pixforge.builtin.exporters.still import Still, StillConfig
from pixforge.builtin.exporters.video.exporter import Video
from pixforge.builtin.exporters.video.timeline import VideoConfig
from pixforge.builtin.filters.grayscale import Grayscale
from pixforge.builtin.filters.roll import Roll
from pixforge.builtin.generators.fourier import Fourier
from pixforge.builtin.generators.pixels import Pixels
from pixforge.builtin.losses.opacity import Opacity, OpacityConfig
from pixforge.contracts import Output, StepReport, View
from pixforge.contracts.alpha import over, premultiplied
from pixforge.engine.cutouts import CutoutSampler
from pixforge.engine.keep import Keep
from pixforge.engine.regions import Masks
from pixforge.errors import InputError
from pixforge.recipe.model import KeepConfig
from pixforge.testing import check_filter, check_generator, make_context

CONTEXT = make_context((48, 32), canvases=2, steps=4)
RECIPE = "prompts: [x]\n"


def picture(alpha, color=(0.8, 0.2, 0.4)):
    image = torch.tensor([*color, alpha])[None, :, None, None]
    return image.expand(2, 4, 32, 48).contiguous()


@pytest.fixture
def sampler():
    return CutoutSampler(Random(RandomConfig(count=64), CONTEXT), [], CONTEXT)


@pytest.mark.parametrize("kind", [Pixels, Fourier])
def test_generators_with_alpha_keep_the_contract(kind):
    check_generator(kind, CONTEXT, alpha=True)
    generator = kind(kind.config_type(alpha=True), CONTEXT)
    assert generator.channels == generator.forward(0).shape[1] == 4


@pytest.mark.parametrize("kind", [Pixels, Fourier])
def test_a_picture_with_alpha_is_encoded_with_it_and_one_without_is_opaque(kind):
    generator = kind(kind.config_type(alpha=True), CONTEXT)
    with torch.no_grad():
        generator.encode(picture(0.25))
        torch.testing.assert_close(generator.forward(0), picture(0.25), atol=2e-3, rtol=0)
        generator.encode(picture(0.25)[:, :3])
        assert generator.forward(0)[:, 3].min() > 0.995


@pytest.mark.parametrize("kind", [Grayscale, Roll])
def test_filters_keep_the_alpha_channel(kind):
    check_filter(kind, CONTEXT)


def test_grayscale_leaves_alpha_alone():
    image = torch.rand(2, 4, 32, 48)
    gray = Grayscale(Grayscale.config_type(), CONTEXT).forward(image, CONTEXT.draws.at("x"), 0)
    assert torch.equal(gray[:, 3], image[:, 3])
    torch.testing.assert_close(gray[:, 0], gray[:, 1])


def test_what_is_transparent_is_a_gray_of_its_own_in_each_cutout(sampler):
    cut = sampler.cut(picture(0.0), sampler.plan((48, 32), 0, 16), 16)
    assert cut.shape == (2, 64, 3, 16, 16)
    levels = cut.mean(dim=(2, 3, 4))
    torch.testing.assert_close(cut, levels[..., None, None, None].expand_as(cut), atol=1e-5, rtol=0)
    assert levels.min() < 0.1
    assert levels.max() > 0.9
    assert len(levels.flatten().unique()) > 100


def test_what_is_opaque_is_seen_as_without_alpha_and_the_places_do_not_change(sampler):
    image = torch.rand(2, 3, 32, 48)
    plan = sampler.plan((48, 32), 0, 16)
    with_alpha = sampler.cut(torch.cat([image, torch.ones(2, 1, 32, 48)], dim=1), plan, 16)
    torch.testing.assert_close(with_alpha, sampler.cut(image, plan, 16), atol=1e-5, rtol=0)


def test_hidden_colors_do_not_bleed_into_cutouts(sampler):
    """The transparent half is red, which nobody may see, also where the picture is made smaller."""
    image = picture(1.0, (0.0, 0.0, 0.0))
    image[..., 24:] = torch.tensor([1.0, 0, 0, 0])[:, None, None]
    cut = sampler.cut(image, sampler.plan((48, 32), 0, 8), 8)
    assert (cut[:, :, 0] - cut[:, :, 1]).abs().max() < 1e-5


def test_gradient_of_alpha_says_what_to_show(sampler):
    """White that is asked to be brighter becomes more opaque, black more transparent."""
    for level, sign in ((1.0, 1), (0.0, -1)):
        image = picture(0.5, (level,) * 3).requires_grad_()
        sampler.cut(image, sampler.plan((48, 32), 0, 16), 16).mean().backward()
        assert (image.grad[:, 3].sum() * sign) > 0


def test_over_and_premultiplied():
    assert over(picture(0.25), 1.0)[0, :, 0, 0].tolist() == pytest.approx([0.95, 0.8, 0.85])
    assert premultiplied(picture(0.25))[0, :, 0, 0].tolist() == pytest.approx([0.2, 0.05, 0.1, 0.25])
    opaque = torch.rand(1, 3, 4, 4)
    assert over(opaque, 1.0) is opaque


def opacity(alpha, mask=None, **fields):
    image = torch.zeros(2, 3, 32, 48)
    generator = Pixels(Pixels.config_type(alpha=True), CONTEXT)
    loss = Opacity(OpacityConfig(**fields), CONTEXT)
    loss.prepare(generator)
    return loss.forward(View(image, generator, CONTEXT, 0, mask=mask, alpha=alpha))


def test_opacity_wants_its_share_and_crisp_pixels():
    half = torch.zeros(2, 1, 32, 48)
    half[..., 24:] = 1
    assert opacity(half, share=0.5).tolist() == [0, 0]
    assert opacity(half, share=0.2).tolist() == pytest.approx([0.09] * 2)
    assert opacity(half / 2 + 0.25, share=0.5, crisp=0).tolist() == pytest.approx([0, 0])
    assert opacity(half / 2 + 0.25, share=0.5, crisp=1)[0] > 0.5


def test_opacity_of_a_region():
    left = torch.zeros(1, 1, 32, 48)
    left[..., :24] = 1
    assert opacity(1 - left.expand(2, -1, -1, -1), left, share=0).tolist() == [0, 0]


def test_opacity_without_alpha_is_refused(tmp_path):
    recipe = {"prompts": ["x"], "generator": "pixels", "losses": ["opacity"], "size": 32, "init": "noise"}
    with pytest.raises(
        InputError, match="opacity needs a picture with alpha, and generator 'pixels' makes none"
    ):
        pixforge.render(pixforge.load_recipe(recipe), tmp_path / "out")


def test_keep_keeps_the_transparency_of_its_picture(tmp_path):
    Image.new("RGBA", (48, 32), (10, 20, 30, 0)).save(tmp_path / "x.png")
    context = make_context((48, 32), folder=tmp_path)
    keep = Keep(KeepConfig(image="x.png", where="left"), context, Masks(context))
    image = picture(0.75)
    kept = keep.put_back(image)
    assert torch.equal(kept[..., 24:], image[..., 24:])
    assert kept[..., :24][:, 3].eq(0).all()
    assert keep.put_back(image[:, :3])[..., :24].eq(1).all()  # over white


def reports():
    """A square that moves, colored, on nothing."""
    for step in range(5):
        image = torch.zeros(1, 4, 16, 24)
        image[:, 0], image[:, 1] = 0.2, 1.0
        image[..., 4:12, 4 * step : 4 * step + 6][:, 3] = 1
        image[..., 12:, :4][:, 3] = 0.5
        yield StepReport(step, 4, image, 0.1)


def exported(exporter, folder):
    with exporter:
        for report in reports():
            exporter.write(report)
    return Image.open(folder / exporter.files()[0])


@pytest.mark.parametrize("format_", ["png", "webp", "jpeg"])
def test_stills(tmp_path, format_):
    quality = {} if format_ == "png" else {"quality": 100}
    still = Still(StillConfig(format=format_, **quality), Output(tmp_path, RECIPE, (24, 16), 4, 1))
    found = exported(still, tmp_path)
    if format_ == "jpeg":
        assert found.mode == "RGB"
        assert min(found.getpixel((0, 0))) > 250
    else:
        assert found.mode == "RGBA"
        assert [found.getpixel(place)[3] for place in ((0, 0), (18, 8), (1, 14))] == [0, 255, 128]


@pytest.mark.parametrize("format_", ["apng", "webp", "mp4", "webm", "gif"])
def test_videos(tmp_path, format_, frames_of):
    config = VideoConfig(format=format_, seconds=1, fps=10, hold_first=0.1, hold_last=0.1)
    video = Video(config, Output(tmp_path, RECIPE, (24, 16), 4, 1))
    with video:
        for report in reports():
            video.write(report)
    last = frames_of(tmp_path / video.files()[0])[-1]
    assert last.shape[:2] == (16, 24)
    if format_ in {"apng", "webp"}:
        assert np.abs(last[[0, 8, 14], [0, 18, 1], 3].astype(int) - [0, 255, 128]).max() <= 2
        assert np.abs(last[8, 18, :3].astype(int) - [51, 255, 0]).max() < 40
    else:
        assert last[0, 20, :3].min() > 235


@pytest.mark.parametrize("format_", ["apng", "webp"])
def test_a_video_with_alpha_goes_on_after_a_stop(tmp_path, format_, frames_of):
    config = VideoConfig(format=format_, seconds=1, fps=10)
    made = {}
    for name, stop in (("whole", None), ("stopped", 2)):
        (tmp_path / name).mkdir()
        output = Output(tmp_path / name, RECIPE, (24, 16), 4, 1)
        video, every = Video(config, output), list(reports())
        for report in every[: None if stop is None else stop + 1]:
            video.write(report)
        if stop is not None:
            state = {key: each.clone() for key, each in video.state().items()}
            video.close()
            video = Video(config, output)
            video.resume(state, every[stop])
            for report in every[stop + 1 :]:
                video.write(report)
        video.close()
        made[name] = frames_of(tmp_path / name / video.files()[0])
    assert len(made["whole"]) == len(made["stopped"])
    assert all(np.array_equal(one, two) for one, two in zip(*made.values(), strict=True))


@pytest.fixture
def frames_of():
    def read(path):
        if path.suffix in {".png", ".webp", ".gif"}:
            found = []
            with Image.open(path) as image:
                for frame in range(image.n_frames):
                    image.seek(frame)
                    found.append(np.asarray(image.convert("RGBA")))
            return found
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-pix_fmt", "rgb24"]
        done = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=True)
        return list(np.frombuffer(done.stdout, np.uint8).reshape(-1, 16, 24, 3))

    return read


def test_a_run_with_everything(tmp_path):
    Image.new("RGB", (32, 32), "blue").save(tmp_path / "blue.png")
    (tmp_path / "recipe.yaml").write_text(
        """
prompts: [a red heart]
seed: 1
size: 32
steps: 3
generator: {type: pixels, alpha: true}
init: noise
cutouts: {type: random, count: 4}
filters: [{type: grayscale, where: left}, roll]
losses: [opacity, smoothness, symmetry]
edits: [{type: overlay, image: blue.png, opacity: 0.1}]
keep: {image: blue.png, where: {box: [0, 0, 8, 8]}}
exporters: [still]
"""
    )
    result = pixforge.render(pixforge.load_recipe(tmp_path / "recipe.yaml"), tmp_path / "out")
    assert result.images[0].mode == "RGBA"
    saved = np.asarray(Image.open(tmp_path / "out" / "image.png"))
    assert np.array_equal(saved, np.asarray(result.images[0]))
    assert (saved[:8, :8] == [0, 0, 255, 255]).all()
    assert saved[8:, 8:, 3].min() < 255
