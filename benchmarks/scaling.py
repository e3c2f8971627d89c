"""Measure how a step grows with cutouts, size and canvases, and the share of the hardware's peak that it reaches.

    python benchmarks/scaling.py [--rounds 5] [--device auto] [--precision auto] [--only NAME ...] [--json FILE]

The work of a step is the number of operations in matrix products and convolutions, forward and backward, two for each
multiply-add. Other work takes time but is not counted. The peak is measured before every recipe, as the best rate of a
product of two square matrices in the step's precision. On a GPU, the peak of memory is that of the device.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from step import EMBEDDED, random_vit
from torch.utils.flop_counter import FlopCounterMode
from vqgan import write_published

import pixforge
from pixforge.cli.process import keep_freed_memory
from pixforge.engine.bench import Stepper, seconds
from pixforge.engine.build import build

SIDE = {"cpu": 4096, "cuda": 16384}
CUTOUTS = (8, 16, 32, 64, 128)
SIZES = (128, 256, 384, 512)
CANVASES = (1, 2, 4, 8)
WARM = 3


def pairs(folder: Path) -> dict[str, dict[str, Any]]:
    """The generators and perceptors to measure, by name; networks of published architectures have random weights."""
    vit = {"type": "open_clip", "model": "ViT-B-32", "pretrained": str(random_vit(str(folder)))}
    published = {"type": "vqgan", "model": str(write_published(folder))}
    return {
        "embedded": {"generator": "vqgan", "perceptors": [EMBEDDED]},
        "pixels + ViT-B/32": {"generator": "pixels", "perceptors": [vit]},
        "f16-16384 + ViT-B/32": {"generator": published, "perceptors": [vit]},
    }


def variations() -> Iterator[tuple[str, dict[str, Any]]]:
    """The changes to measure, relative to 256 x 256 pixels and 32 cutouts."""
    for count in CUTOUTS:
        yield f"{count} cutouts", {"cutouts": {"type": "random", "count": count}}
    for size in SIZES:
        yield f"{size} x {size}", {"size": [size, size]}
    for count in CANVASES:
        yield f"{count} canvases", {"canvases": count}


def best_product(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second in the best of ten products of square matrices."""
    side = SIDE[device.type]
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    torch.mm(left, right)
    return 2 * side**3 / min(seconds(lambda: torch.mm(left, right), device) for _ in range(10))


def measure(recipe: dict[str, Any], rounds: int) -> dict[str, Any]:
    """Measure the step of one recipe."""
    session = build(pixforge.load_recipe(recipe))
    device, step = session.context.device, Stepper(session)
    peak = best_product(device, session.context.dtype)
    for _ in range(WARM):
        step()
    with FlopCounterMode(display=False) as counter:
        step()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    took = sorted(seconds(step, device) for _ in range(rounds))
    median = statistics.median(took)
    work = counter.get_total_flops()
    return {
        "ms": 1000 * median,
        "quartiles": [1000 * took[len(took) // 4], 1000 * took[-1 - len(took) // 4]],
        "pictures_per_s": session.context.batch / median,
        "operations": work,
        "peak_operations_per_s": peak,
        "share_of_peak": work / median / peak,
        "gib": torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else None,
    }


def main() -> None:
    """Measure and print tables."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--only", nargs="*", metavar="NAME")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, pair in pairs(Path(folder)).items():
            if options.only and name not in options.only:
                continue
            figures[name] = {}
            print(
                f"\n### {name}\n\n| | step | pictures/s | GFLOP | share of the peak | memory |\n|---|---|---|---|---|---|"
            )
            base = {
                "prompts": ["a red heart"], "seed": 1, "steps": 1000, "init": "noise", "size": [256, 256],
                "cutouts": {"type": "random", "count": 32}, "device": options.device, "precision": options.precision,
            }  # fmt: skip
            for what, changed in variations():
                figure = figures[name][what] = measure({**base, **pair, **changed}, options.rounds)
                print(_row(what, figure), flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def _row(what: str, figure: dict[str, Any]) -> str:
    memory = "" if figure["gib"] is None else f"{figure['gib']:.1f} GiB"
    return (
        f"| {what} | {figure['ms']:.0f} ms | {figure['pictures_per_s']:.2f} | {figure['operations'] / 1e9:.0f} | "
        f"{100 * figure['share_of_peak']:.0f}% | {memory} |"
    )


if __name__ == "__main__":
    main()
