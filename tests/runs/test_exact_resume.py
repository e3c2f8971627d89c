"""Interrupted and resumed equals uninterrupted, bit for bit, for every generator, optimizer, schedule and exporter."""

from __future__ import annotations

import csv
import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from stopper import Stopper
from test_end_to_end import PLUGIN

import pixforge
from pixforge.plugins.loader import load_plugins
from pixforge.plugins.registry import Registry

GENERATORS = {
    "palette": {"type": "palette", "size": 3, "palettes": 2, "scale": 1},
    "pixels": {"type": "pixels", "levels": 3},
    "fourier": {"type": "fourier"},
    "wavelet": {"type": "wavelet"},
    "vqgan": {"type": "vqgan", "ema": 0.9},
    "gumbel": {"type": "vqgan", "quantization": "gumbel", "ema": 0.8},
    "free": {"type": "vqgan", "quantization": "none"},
}
PLUGINS = {
    "siren": ("pixforge_siren", {"type": "siren", "width": 8}, ["pixforge_generators"]),
    "prior": ("pixforge_siren", {"type": "deep_image_prior", "channels": 4}, ["pixforge_generators"]),
    "cppn": ("pixforge_siren", {"type": "cppn", "width": 4}, ["pixforge_generators"]),
    "strokes": (
        "pixforge_strokes",
        {"type": "strokes", "count": 4},
        ["pixforge_generators", "pixforge_exporters"],
    ),
    "sketch": (
        "pixforge_strokes",
        {"type": "sketch", "count": 4},
        ["pixforge_generators", "pixforge_exporters"],
    ),
}
ROOT = Path(__file__).parents[2]
FILES = ROOT / "plugins"
STEPS = 12


@pytest.fixture
def recipe():
    Path("color.py").write_text(PLUGIN)

    def make(**fields):
        base = {
            "prompts": ["red"],
            "seed": 3,
            "size": [32, 32],
            "steps": STEPS,
            "device": "cpu",
            "generator": "pixels",
            "perceptors": ["color"],
            "cutouts": {"type": "random", "count": 3},
            "augmentations": ["affine", "noise"],
            "losses": [{"type": "smoothness", "weight": {"0%": 0.1, "100%": 1, "ease": "cosine"}}, "latent"],
            "exporters": ["still"],
            "plugins": ["color.py"],
        }
        return pixforge.load_recipe({**base, **fields})

    return make


def metrics(folder):
    with (Path(folder) / "metrics.csv").open() as file:
        return [
            {key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)
        ]


def same(made):
    """Run without a stop, and with two stops and resumes; compare all files."""
    whole = pixforge.render(made, "whole")
    stopped = pixforge.render(made, "cut", progress=Stopper(5))
    assert stopped.interrupted
    assert stopped.signal == signal.SIGINT
    assert len(metrics("cut")) == 5
    assert pixforge.resume("cut", progress=Stopper(9)).interrupted
    again = pixforge.resume("cut")
    assert np.array_equal(np.asarray(again.images[0]), np.asarray(whole.images[0]))
    assert again.metrics == whole.metrics
    assert metrics("cut") == metrics("whole")
    ours, theirs = (load_file(f"{folder}/checkpoint.safetensors") for folder in ("cut", "whole"))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(each, theirs[name]) for name, each in ours.items())
    return whole, again


@pytest.mark.parametrize("generator", GENERATORS)
def test_every_generator(recipe, generator):
    same(recipe(generator=GENERATORS[generator]))


@pytest.mark.parametrize("name", PLUGINS)
def test_generators_and_exporters_of_the_first_party_plugins(recipe, name, monkeypatch):
    package, generator, exporters = PLUGINS[name]
    monkeypatch.syspath_prepend(ROOT / "plugins" / package.removeprefix("pixforge_"))
    Path("more.py").write_text(f"from {package} import *\nfrom {package} import {', '.join(exporters)}\n")
    files = [{"type": "svg"}] if "pixforge_exporters" in exporters else []
    made = recipe(generator=generator, exporters=["still", *files], plugins=["color.py", "more.py"])
    whole, again = same(made)
    for file in (file for file in whole.files if file.endswith(".svg")):
        assert (again.folder / file).read_bytes() == (whole.folder / file).read_bytes()


def test_every_single_file_plugin(recipe):
    made = recipe(
        generator={"type": "stripes", "count": 5},
        filters=["kaleidoscope"],
        augmentations=["mosaic", "noise"],
        losses=["warmth"],
        exporters=["still", "palette_log"],
        plugins=["color.py", *map(str, sorted(FILES.glob("*.py")))],
    )
    whole, again = same(made)
    assert (again.folder / "palette.png").read_bytes() == (whole.folder / "palette.png").read_bytes()


def test_no_generator_is_left_out(recipe):
    known = {each["type"] for each in GENERATORS.values()} | {each["type"] for _, each, _ in PLUGINS.values()}
    assert set(recipe().origin.registry.tags("generator")) <= known


@pytest.mark.parametrize("optimizer", Registry(load_plugins(installed=False)).tags("optimizer"))
def test_every_optimizer(recipe, optimizer):
    rate = {"learning_rate": {"0%": 0.1, "50%": 0.02, "100%": 0.08, "ease": "cosine"}}
    more = {
        "adam": {"amsgrad": True},
        "sgd": {"momentum": 0.9},
        "rmsprop": {"momentum": 0.5, "centered": True},
    }
    same(recipe(optimizer={"type": optimizer, **rate, **more.get(optimizer, {})}))


@pytest.mark.parametrize("order", [1, -1], ids=["forward", "backward"])
def test_every_exporter_and_several_canvases(recipe, order):
    """The videos share a name, as they do when the recipe gives none."""
    videos = [
        {"type": "video", "format": each, "seconds": 1.3, "fps": 10}
        for each in ("mp4", "webm", "gif", "apng", "webp")[::order]
    ]
    stills = [{"type": "still", "every": 4}, {"type": "still", "format": "jpeg", "name": "small"}]
    whole, again = same(recipe(canvases=2, exporters=[*stills, *videos]))
    assert sorted(whole.files) == sorted(again.files)
    for name in whole.files:
        if not name.endswith((".json", ".csv", ".safetensors")):
            assert (again.folder / name).read_bytes() == (whole.folder / name).read_bytes(), name


def test_from_a_picture(recipe):
    from PIL import Image

    Image.new("RGB", (40, 40), (20, 200, 90)).save("start.png")
    same(recipe(init={"type": "image", "image": "start.png"}))


def test_run_that_never_wrote_a_checkpoint_starts_again(recipe):
    whole = pixforge.render(recipe(), "whole")
    pixforge.render(recipe(), "cut", progress=Stopper(5))
    for name in ("checkpoint.safetensors", "image.png"):
        Path("cut", name).unlink()
    again = pixforge.resume("cut")
    assert np.array_equal(np.asarray(again.images[0]), np.asarray(whole.images[0]))
    assert metrics("cut") == metrics("whole")


def test_more_steps_are_a_branch_that_equals_the_longer_run(recipe):
    pixforge.render(recipe(steps=6), "short")
    before = {path.name: path.read_bytes() for path in Path("short").iterdir()}
    longer = pixforge.resume("short", {"steps": STEPS})
    whole = pixforge.render(recipe(losses=[{"type": "smoothness", "weight": 1}]), "whole")
    assert longer.folder.name == "short-1"
    assert {path.name: path.read_bytes() for path in Path("short").iterdir()} == before
    assert [row["step"] for row in metrics("short-1")] == [str(step) for step in range(1, STEPS + 1)]
    entry = json.loads((longer.folder / "run.json").read_text())["lineage"][0]
    assert (entry["step"], entry["from"], entry["changes"]) == (6, "../short", [f"steps: 6 -> {STEPS}"])
    assert whole.metrics["prompt"] != longer.metrics["prompt"]


def test_constant_schedules_make_a_branch_exact(recipe):
    plain = {"losses": ["smoothness"]}
    pixforge.render(recipe(steps=6, **plain), "short")
    longer = pixforge.resume("short", {"steps": STEPS}, out="long")
    whole = pixforge.render(recipe(**plain), "whole")
    assert np.array_equal(np.asarray(longer.images[0]), np.asarray(whole.images[0]))
    assert metrics("long") == metrics("whole")


def test_a_branch_may_change_losses_and_optimizer(recipe):
    pixforge.render(recipe(), "cut", progress=Stopper(5))
    made = pixforge.resume("cut", {"losses": ["saturation"], "optimizer.type": "sgd"}, out="other")
    assert set(made.metrics) == {"prompt", "saturation", "total"}
    rows = metrics("other")
    assert (rows[4]["saturation"], rows[5]["smoothness"]) == ("", "")
    assert float(rows[5]["saturation"]) == pytest.approx(float(rows[5]["saturation"]))
