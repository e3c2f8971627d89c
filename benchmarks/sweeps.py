"""Measure sweeps: many small runs by `local` against their steps alone, and the page with many runs.

python benchmarks/sweeps.py [--runs 100] [--steps 20] [--page 500]
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pixforge
from pixforge.builtin.executors.local import LocalConfig, LocalExecutor
from pixforge.contracts import Job, Outcome
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


class Alternating(LocalExecutor):
    """As `local`, but after every tenth run the steps of one alone are timed: the speed of the machine changes."""

    def __init__(self, steps: int) -> None:
        super().__init__(LocalConfig())
        self._steps = steps
        self._step = Stepper(build(pixforge.load_recipe(recipe(steps))))
        self._step()
        self.alone: list[float] = []
        self.aside = 0.0

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Do them, and measure."""
        for index, outcome in enumerate(super().run(jobs)):
            yield outcome
            if index % 10 == 0:
                start = time.process_time()
                for _ in range(self._steps):
                    self._step()
                self.alone.append(time.process_time() - start)
                self.aside += self.alone[-1]


def sweep(folder: Path, runs: int, steps: int) -> dict[str, float]:
    """The whole sweep, from the plan to the page, against its steps: CPU time, which other programs hardly change."""
    executor = Alternating(steps)
    start = time.process_time()
    plan = make_plan(replace(Spec(recipe(steps)), seeds=runs), Options())
    folder.mkdir()
    write_plan(folder, plan)
    carry_out(folder, plan, executor, quiet=True)
    whole = time.process_time() - start - executor.aside
    alone = runs * statistics.fmean(executor.alone)
    return {"whole": whole, "steps alone": alone, "ratio": whole / alone}


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
