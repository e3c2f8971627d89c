"""Measure whole runs: the time to the first step, the video, `compile`, and the time of a step with several canvases.

python benchmarks/runs.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pixforge
from pixforge.cli.process import keep_freed_memory
from pixforge.engine.bench import Stepper, seconds
from pixforge.engine.build import build
from pixforge.engine.devices import choose_device
from pixforge.errors import RecipeError

FIRST = (
    "import pixforge\n"
    "next(iter(pixforge.optimize(pixforge.load_recipe({'prompts': ['a red heart'], 'seed': 1, 'steps': 2}))))\n"
)


def process(arguments: list[str], rounds: int) -> float:
    """Median seconds of a whole process."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def video_share(rounds: int, steps: int = 60) -> dict[str, float]:
    """Run the default recipe with and without a video, alternating in one process.

    Returns wall-clock seconds, CPU seconds (including ffmpeg's), and the time that the video adds, as a share of the
    run (medians of the pairs). Wall-clock time also depends on other work of the machine.
    """
    found: dict[str, list[tuple[float, float]]] = {"still": [], "still and video": []}
    base: dict[str, Any] = {"prompts": ["a red heart"], "seed": 1, "steps": steps}
    for index in range(rounds + 1):
        for name, exporters in (("still", ["still"]), ("still and video", ["still", "video"])):
            with tempfile.TemporaryDirectory() as folder:
                recipe = pixforge.load_recipe({**base, "exporters": exporters})
                start = time.perf_counter(), sum(os.times()[:4])
                pixforge.render(recipe, Path(folder) / "run")
                if index:  # the first round is a warm-up
                    found[name].append((time.perf_counter() - start[0], sum(os.times()[:4]) - start[1]))
    made: dict[str, float] = {}
    for index, kind in enumerate(("seconds", "processor seconds")):
        still, video = ([each[index] for each in found[name]] for name in found)
        made |= {f"{kind}, {name}": statistics.median(each[index] for each in found[name]) for name in found}
        made[f"share of the {kind}"] = statistics.median(b / a - 1 for a, b in zip(still, video, strict=True))
    return made


def canvases(rounds: int) -> dict[int, float]:
    """Milliseconds of a step for each picture, by the number of pictures made at once."""
    made = {}
    for count in (1, 2, 4, 8):
        recipe = pixforge.load_recipe(
            {
                "prompts": ["a red heart"],
                "seed": 1,
                "canvases": count,
                "cutouts": {"type": "random", "count": 8},
            }
        )
        session = build(recipe)
        step = Stepper(session)
        step()
        made[count] = (
            1000 * statistics.median(seconds(step, session.context.device) for _ in range(rounds)) / count
        )
    return made


def compiled(rounds: int, size: int) -> dict[str, dict[str, float]]:
    """Milliseconds of a step with and without `compile`, alternating, and the seconds of the first step.

    On a CPU, only generators that are compiled there are measured (those of plugins/siren and plugins/strokes); on a
    GPU also those whose networks are compiled.
    """
    made = {}
    names = ["siren", "strokes", "sketch"]
    for generator in names if choose_device("auto").type == "cpu" else ["fourier", "vqgan", *names]:
        steps, found = {}, {}
        for name, wish in (("as written", False), ("compiled", True)):
            recipe = {
                "prompts": ["a red heart"],
                "seed": 1,
                "size": size,
                "generator": generator,
                "compile": wish,
            }
            try:
                session = build(pixforge.load_recipe(recipe))
            except RecipeError:
                break  # the plugin is not installed
            steps[name] = Stepper(session)
            found[f"first, {name}"] = round(seconds(steps[name], session.context.device), 2)
        times: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(5 * rounds):
            for name, step in steps.items():
                times[name].append(1000 * seconds(step, session.context.device))
        if steps:
            made[generator] = {
                name: round(statistics.median(each), 1) for name, each in times.items()
            } | found
    return made


def main() -> None:
    """Measure and print lines of JSON."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(json.dumps({"help": process(["-m", "pixforge", "--help"], options.rounds)}))
    print(json.dumps({"until the first step is taken": process(["-c", FIRST], options.rounds)}), flush=True)
    print(json.dumps({"milliseconds for each picture by canvases": canvases(options.rounds)}), flush=True)
    for size in (256, 512):
        print(json.dumps({f"compile, {size} x {size}": compiled(options.rounds, size)}), flush=True)
    print(json.dumps({"run": video_share(options.rounds)}), flush=True)


if __name__ == "__main__":
    main()
