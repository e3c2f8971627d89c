"""The memory of a run must not grow with its steps."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from test_end_to_end import PLUGIN

import pixforge

LEAK = 4 * 2**20
"""Bytes; a kilobyte for each of 10,000 steps would be 10 MB."""


def resident() -> int:
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in each)
    return int(line.split()[1]) * 1024


class Watcher:
    """A progress that measures now and then, and reads the losses of every step."""

    def __init__(self):
        self.sizes = {}

    def start(self, recipe, steps):
        self.every = steps // 10

    def update(self, report):
        if report.losses and report.step % self.every == 0:
            gc.collect()
            self.sizes[report.step] = resident()

    def finish(self, result):
        pass


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells how much memory is used")
@pytest.mark.parametrize("steps", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_memory_and_files_do_not_grow(steps):
    Path("color.py").write_text(PLUGIN)
    recipe = {
        "prompts": ["red"],
        "seed": 3,
        "size": [16, 16],
        "steps": steps,
        "device": "cpu",
        "generator": "pixels",
        "perceptors": ["color"],
        "cutouts": {"type": "random", "count": 2},
        "augmentations": ["affine", "noise"],
        "losses": ["smoothness"],
        "checkpoint": {"every": steps // 20},
        "exporters": ["still", {"type": "video", "seconds": 2}],
        "plugins": ["color.py"],
    }
    watcher = Watcher()
    result = pixforge.render(pixforge.load_recipe(recipe), "out", progress=watcher)
    sizes = list(watcher.sizes.values())
    assert max(sizes[3:]) - sizes[2] < LEAK, watcher.sizes
    terms = len(result.metrics)
    assert (result.folder / "metrics.csv").stat().st_size < (steps + 2) * (40 + 15 * terms)
    others = [path.stat().st_size for path in result.folder.iterdir() if path.name != "metrics.csv"]
    assert sum(others) < 10**6
