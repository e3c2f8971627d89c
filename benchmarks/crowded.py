"""Measure a step beside other busy programs: alone, two runs at once, and beside a loop that never rests.

    python benchmarks/crowded.py [--seconds 5] [--rounds 3] [--spins none 10000 1000] [--minutes 5]

For each way in which OpenMP's threads wait (`none` is the library's own, a number is GOMP_SPINCOUNT) the median time of a
step by the clock, and how many times the step alone it is. All runs are prepared first, and then wait for their turn; in every
round each way is measured in all three places for some seconds, so that a slower minute meets all. No round begins that would
end after the given minutes. The load of the machine is shown first: where there is other work, `alone` is not alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import IO

RUN = """
import json, sys, time, pixforge
recipe = {"prompts": ["a red heart"], "seed": 1, "init": "noise", "generator": "vqgan", "steps": 100_000}
steps = iter(pixforge.optimize(pixforge.load_recipe(recipe)))
next(steps)
print("ready", flush=True)
for line in sys.stdin:
    end, times = time.perf_counter() + float(line), []
    while not times or time.perf_counter() < end:
        begun = time.perf_counter()
        next(steps)
        times.append(time.perf_counter() - begun)
    print(json.dumps(times), flush=True)
"""
BUSY = "while True: pass"
BESIDE = "beside a busy loop"
PLACES = {"alone": 1, "two at once": 2, BESIDE: 1}
"""How many runs go on in each."""


class Worker:
    """A run in a process of its own, which makes steps when it is asked to.

    Args:
        spins: how its threads wait.
    """

    def __init__(self, spins: str) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("GOMP_", "OMP_"))
        }
        if spins != "none":
            environment["GOMP_SPINCOUNT"] = spins
        self._process = subprocess.Popen(
            [sys.executable, "-c", RUN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._line()

    def begin(self, seconds: float) -> None:
        """Make steps for so long, at least one."""
        given: IO[str] | None = self._process.stdin
        assert given is not None
        given.write(f"{seconds}\n")
        given.flush()

    def times(self) -> list[float]:
        """The seconds of each step, when it is done."""
        found: list[float] = json.loads(self._line())
        return found

    def _line(self) -> str:
        made: IO[str] | None = self._process.stdout
        assert made is not None
        line = made.readline()
        if not line:
            raise SystemExit("a run ended before its time")
        return line

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def main() -> None:
    """Print the load, and a table with a row for each way to wait."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--spins", nargs="+", default=["none", "10000", "1000"])
    args = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} at the start, {os.cpu_count()} cores\n", flush=True)
    begun, made, longest = time.monotonic(), 0, 0.0
    found: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        workers = {spins: [stack.enter_context(worker(spins)) for _ in range(2)] for spins in args.spins}
        while made < args.rounds and time.monotonic() - begun + longest < 60 * args.minutes:
            start = time.monotonic()
            for spins, both in workers.items():
                for place, count in PLACES.items():
                    measured = steps(both[:count], args.seconds, busy=place == BESIDE)
                    found.setdefault((spins, place), []).extend(measured)
            longest, made = max(longest, time.monotonic() - start), made + 1
    print(f"{made} rounds in {time.monotonic() - begun:.0f} s\n")
    show(args.spins, found)


def steps(workers: list[Worker], seconds: float, *, busy: bool) -> list[float]:
    """The seconds of each step of some runs that go on at once."""
    with busy_loop() if busy else nullcontext():
        for each in workers:
            each.begin(seconds)
        return [step for each in workers for step in each.times()]


def show(spins: list[str], found: dict[tuple[str, str], list[float]]) -> None:
    """A row for each way to wait: the time alone, the others with how many times that they take."""
    print(f"| GOMP_SPINCOUNT | {' | '.join(PLACES)} |\n|---{'|---' * len(PLACES)}|")
    for ours in spins:
        alone, *others = (statistics.median(found[ours, place]) for place in PLACES)
        cells = [f"{1000 * each:.0f} ms, {each / alone:.1f}" for each in others]
        print(f"| {ours} | {1000 * alone:.0f} ms | {' | '.join(cells)} |")


@contextmanager
def worker(spins: str) -> Iterator[Worker]:
    """A run that is ready to make steps."""
    made = Worker(spins)
    try:
        yield made
    finally:
        made.end()


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
