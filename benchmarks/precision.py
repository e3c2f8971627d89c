"""Measure how much bf16 and the memory layout of convolutions each speed up a step; runs.py measures `compile`.

    python benchmarks/precision.py [--rounds 7] [--device auto] [--only NAME ...] [--json FILE]

The unchanged step and steps with a single change alternate in one process; a ratio above 1 means that the change is
slower. Networks of published architectures have random weights; speed does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peers import ratio
from step import EMBEDDED, random_model

import pixforge
from pixforge.cli.process import keep_freed_memory
from pixforge.engine.bench import Stepper, seconds
from pixforge.engine.build import build
from pixforge.engine.session import Session

WARM = 3
CHANGES: dict[str, dict[str, Any]] = {"as it is": {}, "fp32": {"precision": "fp32"}, "rows": {}}


def recipes(folder: Path) -> dict[str, dict[str, Any]]:
    """The recipes to measure, by name: 256 x 256, the default cutouts."""
    vit, resnet = (
        {"type": "open_clip", "model": name, "pretrained": str(random_model(name, folder))}
        for name in ("ViT-B-32", "RN50")
    )
    return {
        "embedded VQGAN + embedded": {"generator": "vqgan", "perceptors": [EMBEDDED]},
        "fourier + embedded": {"generator": "fourier", "perceptors": [EMBEDDED]},
        "pixels + ViT-B/32": {"generator": "pixels", "perceptors": [vit]},
        "pixels + RN50": {"generator": "pixels", "perceptors": [resnet]},
    }


def in_rows(session: Session) -> None:
    """Switch the perceptors' convolutions from channels-last to torch's default memory layout."""
    for group in session.groups:
        perceptor: Any = group.perceptor
        perceptor._model.visual.to(memory_format=torch.contiguous_format)  # noqa: SLF001 - no knob: it is always slower
        perceptor._see = _contiguous(perceptor._see)  # noqa: SLF001


def _contiguous(see: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda images: see(images.contiguous())


def measure(recipe: dict[str, Any], rounds: int) -> dict[str, list[float]]:
    """Seconds of the step with each change, in every round."""
    steps = {}
    for name, changed in CHANGES.items():
        session = build(pixforge.load_recipe({**recipe, **changed}))
        if name == "rows":
            in_rows(session)
        steps[name] = Stepper(session), session.context.device
    for step, _ in steps.values():
        for _ in range(WARM):
            step()
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, (step, device) in steps.items():
            times[name].append(seconds(step, device))
    return times


def main() -> None:
    """Measure and print a table."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", nargs="*", metavar="NAME")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    print("| recipe | step | in fp32 | without channels-last |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, pair in recipes(Path(folder)).items():
            if options.only and name not in options.only:
                continue
            base = {
                "prompts": ["a red heart"],
                "seed": 1,
                "size": [256, 256],
                "init": "noise",
                "device": options.device,
            }
            times = figures[name] = measure({**base, **pair}, options.rounds)
            cells = [f"{1000 * statistics.median(times['as it is']):.0f} ms"]
            cells += [ratio(times, each, "as it is") for each in ("fp32", "rows")]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
