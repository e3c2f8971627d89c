"""Measure how long runs take until the judge likes their picture as much as that of today's default.

    python benchmarks/time_to_score.py OUT [--grid benchmarks/grids/time.yaml] [--only 24] [--seeds 1 2] [--every 2]

For each prompt and seed a run is made in each setting of the grid, in turns; the first setting is the one to compare with.
Every few steps the judge, which no run is optimized against, scores the picture: the cosine to the prompt's text. What
counts is the mean of the last three scores, so that no single lucky picture decides, and the aim is what the first setting has at its
end. Times are CPU seconds of the process, reading the recipe and the start included, the judge's own not. Networks are loaded
before, as in the second run of a process. A setting that never gets there counts as endless in medians and quartiles.

Writes `runs.json` with every score and time, and `sheet.png`: a row for each prompt and seed, a column for each setting.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from sheet import TUNED, Drawn, Judge, contact_sheet

import pixforge
from pixforge.engine.build import build
from pixforge.engine.prompts import whole

WINDOW = 3
GRID = Path(__file__).parent / "grids" / "time.yaml"


@dataclass
class Trace:
    """One run: the steps at which it was scored, the CPU seconds until then, and the scores."""

    setting: str
    prompt: str
    seed: int
    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def smooth(self, index: int) -> float:
        """The mean of the last scores there are until one of them."""
        return statistics.fmean(self.scores[max(0, index + 1 - WINDOW) : index + 1])

    @property
    def final(self) -> float:
        """The smooth score at the end."""
        return self.smooth(len(self.scores) - 1)

    def reaches(self, aim: float) -> tuple[float, float]:
        """The seconds and steps until the smooth score is as high as the aim; infinite where it never is."""
        for index, (step, seconds) in enumerate(zip(self.steps, self.seconds, strict=True)):
            if self.smooth(index) >= aim:
                return seconds, step
        return math.inf, math.inf


def trace(
    setting: str, values: dict[str, Any], prompt: str, seed: int, every: int, judge: Judge
) -> tuple[Trace, torch.Tensor]:
    """Make a run without files; its trace and its last picture `[3, H, W]`."""
    made = Trace(setting, prompt, seed)
    with torch.no_grad():
        target = judge.perceptor.encode_text([prompt])[0]
    begun = time.process_time()
    session = build(pixforge.load_recipe({**values, "prompts": [prompt], "seed": seed}))
    report = session.start()
    spent = time.process_time() - begun
    running = session.run()
    while True:
        if report.step % every == 0 or report.step == report.steps:
            made.steps.append(report.step)
            made.seconds.append(spent)
            made.scores.append(float(score(judge, report.image, target)))
        begun = time.process_time()
        following = next(running, None)
        spent += time.process_time() - begun
        if following is None:
            return made, report.image[0].cpu()
        report = following


@torch.no_grad()
def score(judge: Judge, images: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The cosine of a whole picture to a text in the judge's eyes."""
    return judge.perceptor.encode_image(whole(images, judge.perceptor.input_size))[0] @ target


def quartiles(values: list[float], digits: int = 2) -> str:
    """The median, and in brackets the quartiles."""
    ordered = sorted(values)
    low, middle, high = (ordered[round(share * (len(ordered) - 1))] for share in (0.25, 0.5, 0.75))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def row(name: str, runs: list[Trace], base: list[Trace]) -> str:
    """The line of the table for a setting."""
    reached = [run.reaches(first.final) for run, first in zip(runs, base, strict=True)]
    own = [first.reaches(first.final)[0] for first in base]
    better = [run.final - first.final for run, first in zip(runs, base, strict=True)]
    error = statistics.stdev(better) / len(better) ** 0.5 if len(better) > 1 else 0.0
    cells = [
        f"{statistics.median(run.seconds[-1] for run in runs):.1f} s",
        quartiles([run.seconds[-1] / first.seconds[-1] for run, first in zip(runs, base, strict=True)]),
        f"{sum(math.isfinite(step) for _, step in reached)} of {len(runs)}",
        quartiles([step for _, step in reached], 0),
        quartiles([seconds / first for (seconds, _), first in zip(reached, own, strict=True)]),
        quartiles([seconds / first.seconds[-1] for (seconds, _), first in zip(reached, base, strict=True)]),
        f"{statistics.fmean(run.final for run in runs):.3f}",
        f"{statistics.fmean(better):+.3f} ± {error:.3f}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Make the runs and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--grid", type=Path, default=GRID, help="a name for each setting, and what it sets")
    parser.add_argument("--only", type=int, default=24, help="so many of the prompts")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--every", type=int, default=2, help="steps between two scores")
    args = parser.parse_args()
    settings: dict[str, Any] = yaml.safe_load(args.grid.read_text(encoding="utf-8"))
    args.out.mkdir(parents=True, exist_ok=True)
    judge = Judge()
    prompts = list(TUNED)[:: max(1, len(TUNED) // args.only)][: args.only]
    for values in settings.values():  # loads the networks, and imports what the first step needs
        trace("", {**(values or {}), "steps": 1}, prompts[0], 0, 1, judge)
    found: dict[str, list[Trace]] = {name: [] for name in settings}
    drawn: list[Drawn] = []
    for seed in args.seeds:
        for prompt in prompts:
            for name, values in settings.items():
                made, image = trace(name, values or {}, prompt, seed, args.every, judge)
                found[name].append(made)
                drawn.append(Drawn(image, prompt, name, made.seconds[-1]))
            every = [asdict(each) for runs in found.values() for each in runs]
            (args.out / "runs.json").write_text(json.dumps(every), encoding="utf-8")
            contact_sheet(drawn, [f"{each.name}: {each.prompt}" for each in drawn], len(settings)).save(
                args.out / "sheet.png"
            )
    heads = "setting | whole run | / first | get there | steps to it | time to it / first's | / first's whole run | score | - first's"
    print(f"| {heads} |\n|---{'|---' * heads.count('|')}|")
    base = next(iter(found.values()))
    for name, runs in found.items():
        print(row(name, runs, base), flush=True)


if __name__ == "__main__":
    main()
