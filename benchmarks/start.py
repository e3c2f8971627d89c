"""Measure where the time from the command to the end of a short run goes, that of `pixforge check`, and a second run's.

    python benchmarks/start.py [RECIPE] [--rounds 5] [--beside OTHER] [--set PATH=VALUE ...] [--only again]

CPU time, user and system, of one thread in milliseconds: the median of some rounds for each part. With `--beside`, the
folder of another checkout, both take turns in every round. Python's compiled files must be there already: the first run
of a checkout makes them. The second run is made in the process of the first, with another prompt, as in the studio, a sweep
or a notebook: the default recipe from noise, the same with the VQGAN, and with its drawn start.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
PARTS = {
    "command": "Python, the command line",
    "recipe": "modules that read recipes",
    "plugins": "plugins and their configurations",
    "validate": "validating the recipe",
    "torch": "torch",
    "engine": "building the session: networks, prompts, the start",
    "step": "the first step",
    "rest": "files, score and checkpoint",
    "exit": "the end of the process",
}
WATCHED = """
import sys, time

ended = []

def mark(part):
    ended.append(f"{part} {time.process_time()}")

def called(module, name, before, after=None):
    found = getattr(sys.modules[module], name)
    def wrapped(*args, **more):
        if before and not any(each.startswith(before + " ") for each in ended):
            mark(before)
        result = found(*args, **more)
        if after and not any(each.startswith(after + " ") for each in ended):
            mark(after)
        return result
    setattr(sys.modules[module], name, wrapped)

class Watch:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "pixforge.recipe":
            mark("command")
        elif name == "pixforge.builtin":
            mark("recipe")
            called("pixforge.recipe.load", "compose", "plugins")
        elif name == "torch":
            mark("validate")
        elif name == "pixforge.plugins.components":
            mark("torch")
            called("pixforge.engine.loop", "advance", "engine", "step")

sys.meta_path.insert(0, Watch)
from pixforge.cli.main import main

status = main()
mark("validate" if sys.argv[1] == "check" else "rest")
sys.stderr.write("\\nmarks: " + ";".join(ended))
sys.stderr.flush()
sys.exit(status)
"""

SECOND = {
    "recipe": "reading and validating the recipe",
    "codes": "drawing the codes of the candidates",
    "decoding": "decoding them",
    "build": "the rest of the session: prompts, ranking, networks that are there already",
    "picture": "the first picture",
    "step": "the first step",
    "until": "until the first step is done",
    "rest": "files, score and checkpoint",
}
STARTS: dict[str, dict[str, Any]] = {
    "from noise": {"init": "noise"},
    "from noise, `vqgan`": {"init": "noise", "generator": "vqgan"},
    "drawn start": {},
}
AGAIN = """
import json, sys, time

import pixforge
from pixforge.builtin.inits.text_to_codes.load import TextToPictures
from pixforge.runs.events import Started, Step

within = {}

def timed(name, part):
    plain = getattr(TextToPictures, name)
    def wrapped(*args, **more):
        begun = time.process_time()
        made = plain(*args, **more)
        within[part] = within.get(part, 0) + time.process_time() - begun
        return made
    setattr(TextToPictures, name, wrapped)

timed("sample", "codes")
timed("decode", "decoding")
for number, prompt in enumerate(["a red heart", "an owl"]):
    within.clear()
    marks = [time.process_time()]
    recipe = pixforge.load_recipe({"prompts": [prompt], "seed": 1, "steps": 1, **json.loads(sys.argv[1])})
    marks.append(time.process_time())
    for event in pixforge.start(recipe, f"{sys.argv[2]}/{number}"):
        if isinstance(event, (Started, Step)):
            marks.append(time.process_time())
    marks.append(time.process_time())
parts = dict(zip(["recipe", "build", "picture", "step", "rest"], (b - a for a, b in zip(marks, marks[1:]))))
parts["build"] -= sum(within.values())
print(json.dumps({**parts, **within, "until": marks[4] - marks[0]}))
"""


def main() -> None:
    """Print a table for `check`, one for `run`, and one for a second run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("recipe", nargs="?", default=str(HERE / "examples" / "quickstart.yaml"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--only", choices=("command", "again"))
    args = parser.parse_args()
    checkouts = [HERE] if args.beside is None else [args.beside.resolve(), HERE]
    if args.only != "again":
        measure_commands(args, checkouts)
    if args.only != "command":
        for checkout in checkouts:
            show_again({name: again(checkout, values, args.rounds) for name, values in STARTS.items()})


def measure_commands(args: argparse.Namespace, checkouts: list[Path]) -> None:
    """Print a table for `check` and one for `run`."""
    recipe = str(Path(args.recipe).resolve())
    changes = [word for each in args.set or ["init=noise", "steps=1"] for word in ("--set", each)]
    for command in (["check", recipe], ["run", recipe, "--quiet", *changes]):
        found: dict[Path, list[dict[str, float]]] = {each: [] for each in checkouts}
        for _ in range(args.rounds):
            for checkout in checkouts:
                found[checkout].append(measure(checkout, command))
        show(command[0], list(found.values()))


def measure(checkout: Path, command: list[str]) -> dict[str, float]:
    """The milliseconds of each part, and of the whole process, in MiB its peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        out = ["-o", str(Path(folder) / "out")] if command[0] == "run" else []
        process = subprocess.Popen(
            [sys.executable, "-c", WATCHED, *command, *out],
            env=environment(checkout),
            cwd=folder,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(said)
    marks = [each.split() for each in said.rsplit("marks: ", 1)[1].split(";")]
    total = 1000 * (usage.ru_utime + usage.ru_stime)
    times, last = {}, 0.0
    for part, seconds in marks:
        times[part] = 1000 * float(seconds) - last
        last += times[part]
    return {**times, "exit": total - last, "all": total, "peak": usage.ru_maxrss / 1024}


def environment(checkout: Path) -> dict[str, str]:
    """That of a process which uses a checkout, with one thread."""
    return {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}


def again(checkout: Path, values: dict[str, Any], rounds: int) -> dict[str, float]:
    """The median milliseconds of each part of a second run in the same process."""
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", AGAIN, json.dumps(values), folder]
            said = subprocess.run(command, env=environment(checkout), check=True, stdout=subprocess.PIPE)
        found.append(json.loads(said.stdout))
    return {part: 1000 * statistics.median(each[part] for each in found) for part in found[0]}


def show_again(found: dict[str, dict[str, float]]) -> None:
    """A table with a row for each part, and a column for each start."""
    print(f"\n| a second run | {' | '.join(found)} |\n|---{'|---' * len(found)}|")
    for part, words in SECOND.items():
        cells = [f"{each[part]:.0f} ms" if part in each else "" for each in found.values()]
        print(f"| {words} | {' | '.join(cells)} |")


def show(command: str, found: list[list[dict[str, float]]]) -> None:
    """A table with a row for each part, and a column for each checkout."""
    heads = ["before", "now"] if len(found) > 1 else ["now"]
    print(f"\n| `pixforge {command}` | {' | '.join(heads)} |\n|---{'|---' * len(heads)}|")
    for part, words in {**PARTS, "all": "all of it", "peak": "peak memory"}.items():
        if part in found[0][0]:
            unit = "MiB" if part == "peak" else "ms"
            middles = [statistics.median(each[part] for each in rounds) for rounds in found]
            print(f"| {words} | {' | '.join(f'{each:.0f} {unit}' for each in middles)} |")


if __name__ == "__main__":
    main()
