"""Strokes and sketches: their pixels equal those of the SVG, and gradients move strokes to the right places."""

import io
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import resvg_py
import torch
from PIL import Image
from pixforge_strokes.curves import SAMPLES
from pixforge_strokes.raster import bezier, coverage, curve_distance, paint
from pixforge_strokes.sketch import Sketch, SketchConfig
from pixforge_strokes.strokes import Strokes, StrokesConfig
from pixforge_strokes.svg import Svg, SvgConfig

from pixforge.contracts import Output
from pixforge.errors import UnsupportedError
from pixforge.testing import check_component, check_exporter, make_context

BROWSER = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)


def line(*points):
    return torch.tensor(points, dtype=torch.float32)[None, None]


@pytest.mark.parametrize("component", [Strokes, Sketch])
@pytest.mark.parametrize("curves", [1, 3])
def test_the_contract(component, curves):
    check_component(component, curves=curves, count=5, fit=2)


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
def test_strokes_compiled_are_the_same():
    pictures, gradients = [], []
    for wish in (False, True):
        made = Strokes(StrokesConfig(count=3), replace(make_context((24, 16)), compile=wish))
        image = made.forward(0)
        (image.square() * torch.linspace(0, 1, 24)).sum().backward()
        pictures.append(image.detach())
        gradients.append(made.latents()["points"].grad)
    torch.testing.assert_close(*pictures)
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-3 * float(gradients[0].abs().max()))


def test_the_svg_exporter_keeps_the_contract_with_curves():
    context = make_context()
    check_exporter(Svg, context, Strokes(StrokesConfig(count=3), context))


def test_a_chain_of_curves_goes_through_its_joints():
    points = line((0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 2), (3, 3))
    places = bezier(points, torch.tensor([[[0.0, 0.5, 1.0, 1.5, 2.0]]]))[0, 0].T
    wanted = [[0, 0], [1.5, 0], [3, 0], [3, 1.5], [3, 3]]
    torch.testing.assert_close(places, torch.tensor(wanted, dtype=torch.float32))


def test_distance_to_a_straight_line_by_hand():
    points = line((1, 2), (2, 2), (3, 2), (4, 2))
    distance = curve_distance(points, 4, 8, SAMPLES)[0, 0]
    assert float(distance[0, 2]) == pytest.approx(1.5)  # pixel center (2.5, 0.5)
    assert float(distance[1, 6]) == pytest.approx(np.hypot(2.5, 0.5))  # beyond the end


def test_the_gradient_of_the_distance_is_right():
    torch.manual_seed(0)
    points = line((1, 2), (4, 2), (6, 3), (7, 5), (8, 7), (8, 9), (9, 11)).requires_grad_()
    distance = curve_distance(points, 12, 12, 64)
    weights = torch.rand(1, 1, 12, 12) * (distance.detach() > 0.2)  # on the curve itself it has a kink
    (distance * weights).sum().backward()
    bump = torch.randn(points.shape)
    with torch.no_grad():
        high, low = (curve_distance(points + sign * 1e-2 * bump, 12, 12, 64) for sign in (1, -1))
    numeric = ((high - low) * weights).sum() / 2e-2
    assert float((points.grad * bump).sum()) == pytest.approx(float(numeric), rel=0.05)


def test_coverage_of_pixels_by_hand():
    distance = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0])[None, None, None]
    wide = coverage(distance, torch.tensor([[2.0]]), 1.0).flatten()
    torch.testing.assert_close(wide, torch.tensor([1.0, 1.0, 0.5, 0.0, 0.0]))
    thin = coverage(distance, torch.tensor([[0.4]]), 1.0).flatten()
    torch.testing.assert_close(thin[:2], torch.tensor([0.4, 0.2]))


def test_later_strokes_lie_on_top():
    cover = torch.ones(1, 2, 1, 1)
    colors = torch.tensor([[[1.0, 0, 0, 1], [0, 0, 1.0, 0.5]]])
    assert paint(cover, colors, torch.ones(1, 3)).flatten().tolist() == [0.5, 0, 0.5]


@pytest.mark.parametrize("curves", [1, 2])
def test_the_nearest_place_is_found_also_where_a_curve_turns_on_the_spot(curves):
    torch.manual_seed(1)
    points = torch.rand(1, 30, 3 * curves + 1, 2) * 60  # wild: loops, cusps, and there and back
    times = torch.linspace(0, curves, 800 * curves + 1)
    places = bezier(points, times.expand(1, 30, -1)).transpose(2, 3)
    centers = torch.stack(
        torch.meshgrid(torch.arange(60) + 0.5, torch.arange(60) + 0.5, indexing="xy"), dim=-1
    )
    exact = torch.cdist(centers.reshape(1, 1, -1, 2), places).amin(dim=3).reshape(1, 30, 60, 60)
    off = (curve_distance(points, 60, 60, SAMPLES) - exact)[exact < 12]
    assert off.max() < 0.2
    assert (off > 0.05).float().mean() < 0.002


DRAWINGS = pytest.mark.parametrize(
    ("component", "config"),
    [(Strokes, StrokesConfig(count=20, length=0.8, curves=2)), (Sketch, SketchConfig(count=12, width=0.03))],
)


def drawn(component, config):
    """A drawing with sharp bends and its pixels, 0 to 255."""
    context = make_context((120, 90), 1, seed=5)
    generator = component(config, context)
    with torch.no_grad():
        points = generator.latents()["points"]
        points.add_(context.draws.at("bend").randn(*points.shape[1:]), alpha=0.15)
        generator.constrain()
        return generator, generator.forward(0)[0].permute(1, 2, 0).numpy() * 255


def assert_alike(image, pixels):
    difference = np.abs(np.asarray(image.convert("RGB"), float) - pixels)
    assert difference.mean() < 3
    assert (difference.max(axis=2) > 64).mean() < 0.002


@DRAWINGS
def test_the_svg_looks_the_same(component, config):
    generator, pixels = drawn(component, config)
    rendered = resvg_py.svg_to_bytes(svg_string=generator.svg(0))
    with Image.open(io.BytesIO(bytes(rendered))) as image:
        assert_alike(image, pixels)


@DRAWINGS
@pytest.mark.skipif(not BROWSER, reason="no browser is installed")
def test_the_svg_looks_the_same_in_a_browser(component, config, tmp_path):
    generator, pixels = drawn(component, config)
    (tmp_path / "drawing.svg").write_text(generator.svg(0))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=600,400"]
    command = [BROWSER, *options, f"--user-data-dir={tmp_path}", "--force-device-scale-factor=1"]
    shot = f"--screenshot={tmp_path / 'shot.png'}"
    subprocess.run(
        [*command, shot, str(tmp_path / "drawing.svg")], check=True, capture_output=True, timeout=120
    )
    with Image.open(tmp_path / "shot.png") as image:
        assert_alike(image.crop((0, 0, 120, 90)), pixels)


@pytest.mark.parametrize("component", [Strokes, Sketch])
def test_a_stroke_moves_to_where_the_picture_wants_it(component):
    context = make_context((48, 48), 1)
    target = torch.ones(1, 3, 48, 48)
    target[..., 30:40, 8:40] = 0.05
    config = component.config_type(count=6, width=0.06)
    generator = component(config, context)
    groups = [{**group, "lr": 0.02 * group["scale"]} for group in generator.parameter_groups()]
    for group in groups:
        del group["scale"]
    optimizer, errors = torch.optim.Adam(groups), []
    for _ in range(150):
        error = (generator.forward(0) - target).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        with torch.no_grad():
            generator.constrain()
        errors.append(error.item())
    assert errors[-1] < errors[0] / 3


def heart_like(size=40):
    """A red disk on white, and where it is."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    disk = ((x - 14).square() + (y - 22).square()).sqrt() < 10
    image = torch.ones(1, 3, size, size)
    image[0, 1:, disk] = 0.1
    return image, disk


def test_strokes_start_from_a_picture_in_its_colors():
    image, disk = heart_like()
    context = make_context((40, 40), 2)
    generator = Strokes(StrokesConfig(count=12, width=0.15, fit=30), context)
    with torch.no_grad():
        before = (generator.forward(0) - image).square().mean()
        generator.encode(image)
        shown = generator.forward(0)
    assert (shown - image).square().mean() < before / 3
    for canvas in shown:  # the disk is red, and the rest white
        assert canvas[1, disk].mean() < 0.4 < 0.8 < canvas[1, ~disk].mean()
    assert not torch.equal(*shown)  # each canvas has strokes of its own
    for latent in generator.latents().values():
        assert latent.requires_grad
        assert latent.grad is None


def test_a_sketch_draws_the_edges_of_a_picture():
    image, _ = heart_like()
    generator = Sketch(SketchConfig(count=10, length=0.3, width=0.04, fit=25), make_context((40, 40), 1))
    with torch.no_grad():
        generator.encode(image)
        ink = 1 - generator.forward(0)[0, 0]
    y, x = torch.meshgrid(torch.arange(40), torch.arange(40), indexing="ij")
    radius = ((x - 14).square() + (y - 22).square()).sqrt()
    rim = (radius - 10).abs() < 2.5
    assert ink[rim].mean() > 4 * ink[~rim].mean()  # a filled disk would not be


def test_a_drawing_in_the_same_colors_is_drawn_again_from_where_the_lines_are():
    generator = Sketch(SketchConfig(count=3, fit=0), make_context((40, 40), 1))
    with torch.no_grad():
        generator.constrain()
        drawn = generator.forward(0)
        moved = drawn.roll(1, dims=3)  # what an edit may do
        assert torch.equal(generator.wanted(moved), moved)
        points = generator.latents()["points"].clone()
        generator.encode(moved)
        assert torch.equal(generator.latents()["points"], points)  # they lie nearer than any new ones


def test_a_blank_picture_is_no_trouble():
    for generator in (
        Sketch(SketchConfig(count=3, fit=2), make_context((16, 12), 1)),
        Strokes(StrokesConfig(count=3, fit=2), make_context((16, 12), 1)),
    ):
        with torch.no_grad():
            generator.encode(torch.ones(1, 3, 12, 16))
            assert generator.forward(0).isfinite().all()


def test_the_file_has_the_recipe_and_is_refused_without_curves(tmp_path):
    context = make_context((20, 20), 1)
    generator = Sketch(SketchConfig(count=2), context)
    output = Output(tmp_path, "prompts: [a < b]\n", (20, 20), 1, 1, generator)
    with Svg(SvgConfig(), output) as exporter:
        exporter.write(None)
    text = (tmp_path / "drawing.svg").read_text()
    assert "<metadata>prompts: [a &lt; b]" in text
    assert text.count("<path") == 2
    with pytest.raises(UnsupportedError, match="use generator strokes or sketch"):
        Svg(SvgConfig(), Output(tmp_path, "", (20, 20), 1, 1))


def test_a_run_that_ends_with_nan_leaves_the_last_drawing(tmp_path):
    generator = Strokes(StrokesConfig(count=2), make_context((20, 20), 1))
    exporter = Svg(SvgConfig(metadata=False), Output(tmp_path, "", (20, 20), 1, 1, generator))
    exporter.write(None)
    wanted = generator.svg(0)
    with torch.no_grad():
        generator.latents()["points"].fill_(float("nan"))
    exporter.close()
    assert (tmp_path / "drawing.svg").read_text() == wanted
