"""The camera: where things go, what comes in from outside, and how little is lost."""

import math
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import yaml

import pixforge
from pixforge.builtin.curves.wave import WaveCurve
from pixforge.builtin.edits.camera.camera import Camera
from pixforge.builtin.edits.camera.config import CameraConfig
from pixforge.builtin.edits.camera.motion import Motion, homography
from pixforge.builtin.edits.camera.resample import moved
from pixforge.contracts import Film
from pixforge.errors import InputError, RecipeError
from pixforge.testing import make_context

SIZE = (48, 32)


def dot(x, y, radius=2.0, size=SIZE):
    """A soft white dot on black, at shares of the sides."""
    column = torch.arange(size[0]) + 0.5 - x * size[0]
    row = (torch.arange(size[1]) + 0.5 - y * size[1])[:, None]
    return (-(column.square() + row.square()) / radius**2).exp().expand(1, 3, -1, -1)


def middle(image):
    """Where the light is, as shares of the sides."""
    light = image[0, 0]
    x, y = (torch.arange(count) + 0.5 for count in (light.shape[1], light.shape[0]))
    total = float(light.sum())
    return (
        float((light.sum(0) * x).sum()) / total / light.shape[1],
        float((light.sum(1) * y).sum()) / total / light.shape[0],
    )


def read(fields):
    curves = {"curves": {"wave": WaveCurve}, "folder": Path()}
    return CameraConfig.model_validate(fields, context=curves)


def after(image, frames=1, fps=1, steps=100, **fields):
    film = Film(fps=fps, steps_per_frame=1, first_frame_steps=1)
    context = make_context(SIZE, 1, steps=steps, film=film)
    Camera.check_run(read(fields), context)
    camera = Camera(read(fields), context)
    for frame in range(frames):
        image = camera.forward(image, film.end(frame))
    return image


@pytest.mark.parametrize(
    ("fields", "start", "end"),
    [
        ({"pan_x": 0.25}, (0.5, 0.5), (0.75, 0.5)),
        ({"pan_y": 0.25}, (0.5, 0.5), (0.5, 0.75)),
        ({"zoom": 2}, (0.6, 0.4), (0.7, 0.3)),
        ({"zoom": 2, "center": (0, "100%")}, (0.3, 0.7), (0.6, 0.4)),
        ({"rotate": 90}, (0.5, 0.25), (0.5 + 0.25 * 32 / 48, 0.5)),
        ({"shear": 0.5}, (0.5, 0.25), (0.5 + 0.5 * 0.25 * 32 / 48, 0.25)),
        ({"shear": 0.5}, (0.5, 0.5), (0.5, 0.5)),
    ],
)
def test_things_go_where_the_fields_say(fields, start, end):
    assert middle(after(dot(*start), infill="color", color="black", **fields)) == pytest.approx(end, abs=0.01)


def test_what_tilts_away_gets_smaller():
    up, down, left, right = (dot(*at, 3) for at in ((0.5, 0.3), (0.5, 0.7), (0.3, 0.5), (0.7, 0.5)))
    tilted = [float(after(each, tilt=30, infill="border").sum() / each.sum()) for each in (up, down)]
    turned = [float(after(each, turn=30, infill="border").sum() / each.sum()) for each in (left, right)]
    assert tilted[0] < 0.9 < tilted[1]
    assert turned[0] > 0.9 > turned[1]


def test_the_way_of_a_second_does_not_depend_on_the_frames():
    once = after(dot(0.4, 0.4, 4), pan_x=0.2, pan_y=0.1, infill="border")
    often = after(dot(0.4, 0.4, 4), frames=8, fps=8, pan_x=0.2, pan_y=0.1, infill="border")
    assert float((once - often).abs().max()) < 0.01
    assert middle(often) == pytest.approx((0.6, 0.5), abs=0.005)
    zoomed = after(dot(0.6, 0.6), frames=8, fps=8, zoom=1.5, infill="border")
    assert middle(zoomed) == pytest.approx((0.65, 0.65), abs=0.005)


@pytest.mark.parametrize("infill", ["mirror", "wrap", "border", "color"])
def test_infill(infill):
    image = torch.rand(1, 4, 32, 48, generator=torch.Generator().manual_seed(1))
    shifted = after(image, pan_x=0.5, infill=infill, color="#ff0000")
    assert torch.allclose(shifted[..., 24:], image[..., :24], atol=1e-4)
    came = {
        "mirror": image[..., :24].flip(-1),
        "wrap": image[..., 24:],
        "border": image[..., :1].expand(-1, -1, -1, 24),
        "color": torch.tensor([1.0, 0, 0, 1])[:, None, None].expand(1, 4, 32, 24),
    }[infill]
    assert torch.allclose(shifted[..., :24], came, atol=1e-4)


def test_nothing_moves_without_speed():
    image = torch.rand(2, 3, 32, 48)
    assert torch.allclose(after(image), image, atol=1e-4)


def test_a_zoom_and_its_inverse_give_the_picture_back():
    drawn = torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(1))
    image = F.interpolate(drawn, scale_factor=2, mode="bicubic").clamp(0.05, 0.95)
    back = after(after(image, zoom=1.25), zoom=0.8)
    assert float((back - image)[..., 8:-8, 12:-12].abs().max()) < 0.02


def high(image):
    """The energy above half the Nyquist frequency."""
    height, width = image.shape[-2:]
    frequency = (torch.fft.fftfreq(height)[:, None].square() + torch.fft.fftfreq(width).square()).sqrt()
    return float((torch.fft.fft2(image).abs().square() * (frequency > 0.25)).sum())


def test_a_hundred_frames_keep_fine_detail():
    image = 0.3 + 0.4 * torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(2))
    spline = linear = image
    matrix = homography(Motion(pan_x=0.37 / 64, pan_y=0.21 / 64), (64, 64), (0.5, 0.5), 50)
    theta = matrix[None, :2].float()
    grid = F.affine_grid(theta, [1, 1, 64, 64], align_corners=False)
    for _ in range(100):
        spline = moved(spline, matrix, "wrap")
        linear = F.grid_sample(linear, grid, padding_mode="reflection", align_corners=False)
    kept, of_linear = (high(each) / high(image) for each in (spline, linear))
    assert 0.1 < kept <= 1
    assert of_linear < kept / 10


def test_a_flight_is_smooth_and_depends_on_its_seed():
    def way(**fields):
        film = Film(fps=12, steps_per_frame=1, first_frame_steps=1)
        camera = Camera(CameraConfig(**fields), make_context(SIZE, 1, steps=61, film=film))
        return torch.stack([camera.warp(film.end(frame)) for frame in range(60)])

    first = way(flight=1)
    assert torch.equal(first, way(flight=1))
    assert not torch.allclose(first, way(flight=1, flight_seed=1), atol=1e-3)
    moves = (first - torch.eye(3)).abs().amax()
    assert 0.005 < moves < 0.1
    assert (first[1:] - first[:-1]).abs().amax() < moves / 3


def test_steps_of_a_run_without_a_film_are_frames():
    camera = Camera(CameraConfig(pan_x=0.24, every=2), make_context(SIZE))
    assert float(camera.warp(2)[0, 2]) == pytest.approx(-2 * 0.24 / 12)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pan_x": 3}, "pan_x: 3 from one frame to the next (after frame 0); at most 1"),
        ({"pan_x": 1}, "after frame 0 nothing of the picture stays in sight"),
        (
            {"tilt": {"0%": 0, "100%": -90}},
            "tilt: -54 from one frame to the next (after frame 2); at most 45",
        ),
        ({"rotate": {3: 0, 4: 190}}, "rotate: 190 from one frame to the next (after frame 3); at most 180"),
        (
            {"rotate": {"wave": "sine", "period": 4, "low": -200, "high": 200}},
            "rotate: 200 from one frame to the next (after frame 0)",
        ),
        ({"zoom": 9}, "zoom: a factor of 9 from one frame to the next (after frame 0); from 0.25 to 4"),
        ({"zoom": 0.25, "center": (0, 0), "pan_x": -0.25}, "after frame 0 nothing of the picture stays"),
        ({"rotate": 90, "center": (500, 0)}, "after frame 0 nothing of the picture stays in sight"),
        (
            {"pan_y": {"0%": 0.5, "100%": 1}, "shear": 1, "pan_x": -0.9},
            "after frame 4 nothing of the picture",
        ),
        ({"flight": 10, "every": 3}, "pan_x: -1.89386 from one frame to the next (after frame 2); at most 1"),
    ],
)
def test_a_camera_that_leaves_the_picture_is_refused(fields, message):
    with pytest.raises(InputError, match=re.escape(message)):
        after(dot(0.5, 0.5), steps=6, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"pan_x": 0.99},
        {"zoom": 4, "pan_x": 0.9},
        {"zoom": 0.25, "center": (0, 0), "pan_x": -0.24},
        {"rotate": 180, "tilt": 45},
        {"rotate": {3: 0, 4: 190}, "until": 3},
        {"rotate": 190, "strength": 0.5},
    ],
)
def test_a_camera_that_keeps_a_corner_goes(fields):
    assert after(dot(0.5, 0.5), steps=6, **fields).isfinite().all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rotate": 9999}, "recipe.yaml:4: edits[0].rotate: 9999 must be at most 3600"),
        ({"zoom": {0: 1, 5: 1e6}}, "edits[0].zoom: 1e+06 must be at most 100"),
        ({"pan_x": {"wave": "sine", "high": 50}}, "edits[0].pan_x: 50 must be at most 10"),
        ({"shear": -11}, "edits[0].shear: -11 must be at least -10"),
        ({"tilt": 1e4}, "edits[0].tilt: 10000 must be at most 360"),
        ({"rotate": 3000}, "edits[0]: camera: rotate: 250 from one frame to the next (after frame 0); at most 180"),
        ({"pan_x": {"0%": 1, "100%": 9}, "pan_y": 9, "every": 2}, "edits[0]: camera: pan_y: 1.5 from one frame to the next (after frame 1); at most 1"),
    ],
)  # fmt: skip
def test_check_says_what_a_camera_cannot_do(fields, message, tmp_path):
    path = tmp_path / "recipe.yaml"
    edits = yaml.safe_dump([{"type": "camera", **fields}], default_flow_style=True, width=1000)
    path.write_text(f"prompts: [a]\nsteps: 100\nfilm: {{fps: 12}}\nedits: {edits}", encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        pixforge.load_recipe(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_color_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no such"):
        CameraConfig(color="no such color")


def test_a_full_turn_comes_back():
    turned = after(dot(0.4, 0.5, 5), frames=36, fps=36, rotate=360, infill="border")
    assert middle(turned) == pytest.approx((0.4, 0.5), abs=0.01)
    assert math.isclose(float(turned.max()), float(dot(0.4, 0.5, 5).max()), abs_tol=0.05)
