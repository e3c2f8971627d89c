"""Measure a step beside other busy programs: alone, two runs at once, and beside a loop that never rests.

    python benchmarks/crowded.py [--steps 25] [--rounds 3] [--spins none 10000 1000]

For each way in which OpenMP's threads wait (`none` is the library's own, a number is GOMP_SPINCOUNT) the median time of a
step, and how many times the step alone it is. The ways take turns in every round, so that a slower minute meets all.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STEP = """
import sys, time, statistics, pixforge
recipe = {"prompts": ["a red heart"], "seed": 1, "init": "noise", "generator": "vqgan", "steps": int(sys.argv[1])}
times = []
for _ in pixforge.optimize(pixforge.load_recipe(recipe)):
    times.append(time.perf_counter())
print(statistics.median(b - a for a, b in zip(times[3:], times[4:])))
"""
BUSY = "while True: pass"


def main() -> None:
    """Print a table with a row for each way to wait."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spins", nargs="+", default=["none", "10000", "1000"])
    args = parser.parse_args()
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(args.rounds):
        for spins in args.spins:
            found.setdefault((spins, "alone"), []).extend(steps(spins, args.steps, 1))
            found.setdefault((spins, "two at once"), []).extend(steps(spins, args.steps, 2))
            with busy_loop():
                found.setdefault((spins, "beside a busy loop"), []).extend(steps(spins, args.steps, 1))
    print("| GOMP_SPINCOUNT | alone | two at once | beside a busy loop |\n|---|---|---|---|")
    for spins in args.spins:
        alone, *others = (statistics.median(times) for (ours, _), times in found.items() if ours == spins)
        cells = [f"{1000 * each:.0f} ms, {each / alone:.1f}" for each in others]
        print(f"| {spins} | {1000 * alone:.0f} ms | {cells[0]} | {cells[1]} |")


def steps(spins: str, count: int, processes: int) -> list[float]:
    """The median seconds of a step, in each of some processes that run at once."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("GOMP_", "OMP_"))
    }
    if spins != "none":
        environment["GOMP_SPINCOUNT"] = spins
    command = [sys.executable, "-c", STEP, str(count)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(processes)
    ]
    return [float(each.communicate()[0]) for each in running]


@contextmanager
def busy_loop() -> Iterator[None]:
    """A process that always computes."""
    other = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        other.kill()
        other.wait()


if __name__ == "__main__":
    main()
