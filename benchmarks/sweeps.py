"""Measure sweeps: many small runs by `local` against their steps alone, and the page with many runs.

python benchmarks/sweeps.py [--runs 100] [--steps 20] [--page 500]
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pixforge
from pixforge.builtin.executors.local import LocalConfig, LocalExecutor
from pixforge.engine.bench import Stepper
from pixforge.engine.build import build
from pixforge.sweeps.carry import carry_out, write_plan
from pixforge.sweeps.plan import Options, Plan, PlanAxis, Planned, make_plan, read_plan
from pixforge.sweeps.results import RUNS, THUMBS, write_results
from pixforge.sweeps.spec import Spec


def recipe(steps: int) -> dict[str, Any]:
    """A small run: 64 x 64 pixels from noise, the embedded perceptor, a still."""
    return {
        "prompts": ["a red heart"], "seed": 1, "size": 64, "steps": steps, "init": "noise", "exporters": ["still"]
    }  # fmt: skip


def steps_alone(steps: int, count: int) -> float:
    """Seconds of one run's steps without anything around them, the median of `count` runs."""
    step = Stepper(build(pixforge.load_recipe(recipe(steps))))
    step()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def sweep(folder: Path, runs: int, steps: int) -> dict[str, float]:
    """The whole sweep against its steps, measured before, in the middle and after."""
    plan_start = time.perf_counter()
    plan = make_plan(replace(Spec(recipe(steps)), seeds=runs), Options())
    planned = time.perf_counter() - plan_start
    alone = [steps_alone(steps, 3)]
    folder.mkdir()
    write_plan(folder, plan)
    start = time.perf_counter()
    carry_out(folder, plan, LocalExecutor(LocalConfig()), quiet=True)
    whole = time.perf_counter() - start
    alone.append(steps_alone(steps, 3))
    per_run = sum(alone) / len(alone)
    return {
        "plan": planned,
        "whole": whole,
        "steps alone": runs * per_run,
        "ratio": (planned + whole) / (runs * per_run),
    }


def page(folder: Path, source: Path, runs: int) -> dict[str, float]:
    """Table, sheets and page of many runs, copies of those in `source`."""
    old = read_plan(source)
    for name in (RUNS, THUMBS):
        (folder / name).mkdir(parents=True)
    planned = []
    for index in range(runs):
        like, name = old.runs[index % len(old.runs)], f"{index + 1:04d}"
        shutil.copytree(source / RUNS / like.name, folder / RUNS / name)
        shutil.copy(source / THUMBS / f"{like.name}.jpg", folder / THUMBS / f"{name}.jpg")
        planned.append(Planned(name=name, place=(index,), recipe=like.recipe))
    axis = PlanAxis(paths=("seed",), texts=tuple((str(index),) for index in range(runs)))
    start = time.perf_counter()
    write_results(folder, Plan(title="many", axes=(axis,), runs=tuple(planned)))
    return {"seconds": time.perf_counter() - start, "MB": (folder / "report.html").stat().st_size / 1e6}


def main() -> None:
    """Measure, print as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--page", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as text:
        home = Path(text)
        found = {"sweep": sweep(home / "sweep", arguments.runs, arguments.steps)}
        found["page"] = page(home / "page", home / "sweep", arguments.page)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
