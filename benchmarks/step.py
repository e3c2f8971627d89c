"""Measure how much longer a step takes than the models' own arithmetic, and the share of each component.

    python benchmarks/step.py [--rounds 30] [--vit] [--device auto] [--json FILE]

All figures are measured in this process. Steps and floors alternate, so that a change of the machine's speed affects
both. The floor is one forward and backward pass of the generator and one forward and input-gradient backward pass of
each perceptor on prepared cutouts. `--vit` adds ViT-B/32 with random weights (speed does not depend on them).
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

import pixforge
from pixforge.cli.process import keep_freed_memory
from pixforge.engine.bench import measure as measured
from pixforge.engine.build import build
from pixforge.engine.session import Session

EMBEDDED = {"type": "open_clip", "model": "embedded"}


def recipes(vit: Path | None) -> dict[str, dict[str, Any]]:
    """The recipes to measure, by name: 256 x 256, 32 cutouts, default augmentations and losses."""
    base = {
        "prompts": ["a red heart"],
        "size": [256, 256],
        "steps": 1000,
        "seed": 1,
        "cutouts": {"type": "random"},
    }
    made = {
        "fourier + embedded": {**base, "generator": "fourier", "perceptors": [EMBEDDED]},
        "pixels + embedded": {**base, "generator": "pixels", "perceptors": [EMBEDDED]},
        "fourier + embedded, 4 canvases": {
            **base,
            "generator": "fourier",
            "perceptors": [EMBEDDED],
            "canvases": 4,
        },
    }
    if vit is not None:
        big = {"type": "open_clip", "model": "ViT-B-32", "pretrained": str(vit)}
        made["pixels + ViT-B-32"] = {**base, "generator": "pixels", "perceptors": [big]}
    return made


def measure(session: Session, rounds: int) -> dict[str, Any]:
    """The figures of `pixforge bench`, in milliseconds."""
    found = measured(session, rounds)
    return {
        "step_ms": 1000 * found.step,
        "floor_ms": 1000 * found.floor,
        "ratio": found.ratio,
        "ratio_quartiles": list(found.quartiles),
        "stages_ms": {f"{part.kind} {part.name}": 1000 * part.seconds for part in found.parts},
    }


def peak_memory(recipe: dict[str, Any]) -> float:
    """The peak memory in MiB of a separate process that makes three steps of a recipe."""
    code = (
        "import json, sys, torch, pixforge\n"
        "from pixforge.cli.process import keep_freed_memory\n"
        "from pixforge.engine.room import peak\n"
        "keep_freed_memory()\n"
        "recipe = pixforge.load_recipe(json.loads(sys.argv[1]))\n"
        "for _ in pixforge.optimize(recipe): pass\n"
        "print(peak(torch.device('cuda' if torch.cuda.is_available() else 'cpu')) / 2**20)\n"
    )
    short = json.dumps({**recipe, "steps": 3})
    return float(
        subprocess.run([sys.executable, "-c", code, short], capture_output=True, text=True, check=True).stdout
    )


def start_up(rounds: int = 5) -> dict[str, float]:
    """Median milliseconds of whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder) / "recipe.yaml"
        recipe.write_text("prompts: [a sunflower]\n")
        commands = {
            "python -c pass": ["-c", "pass"],
            "pixforge --help": ["-m", "pixforge", "--help"],
            "pixforge check": ["-m", "pixforge", "check", str(recipe)],
            "import torch": ["-c", "import torch"],
        }
        return {
            name: 1000 * statistics.median(_process(c) for _ in range(rounds)) for name, c in commands.items()
        }


def _process(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    return time.perf_counter() - start


def random_model(name: str, folder: Path) -> Path:
    """Write a checkpoint of one of open_clip's architectures, with random weights."""
    from pixforge.torchvision_shim import install_torchvision_shim

    install_torchvision_shim()
    import open_clip
    from safetensors.torch import save_file

    torch.manual_seed(0)
    path = folder / f"{name}.safetensors"
    save_file(open_clip.create_model(name, pretrained=None).state_dict(), path)
    return path


def random_vit(folder: str) -> Path:
    """Write a checkpoint of ViT-B/32 with random weights."""
    return random_model("ViT-B-32", Path(folder))


def main() -> None:
    """Measure, print tables and write the figures."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--vit", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures: dict[str, Any] = {"python": platform.python_version(), "torch": torch.__version__, "recipes": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name, recipe in recipes(random_vit(folder) if arguments.vit else None).items():
            loaded = pixforge.load_recipe({**recipe, "device": arguments.device})
            figure = measure(build(loaded), arguments.rounds)
            figure["peak_mib"] = peak_memory({**recipe, "device": arguments.device})
            figures["recipes"][name] = figure
            _show(name, figure)
    figures["start_up_ms"] = start_up()
    print("\n".join(f"{name:20} {value:8.0f} ms" for name, value in figures["start_up_ms"].items()))
    figures["peak_mib_of_this_process"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def _show(name: str, figure: dict[str, Any]) -> None:
    low, high = figure["ratio_quartiles"]
    print(f"{name}: step {figure['step_ms']:.1f} ms, floor {figure['floor_ms']:.1f} ms, ", end="")
    print(
        f"ratio {figure['ratio']:.2f} (quartiles {low:.2f} to {high:.2f}), peak {figure['peak_mib']:.0f} MiB"
    )
    for stage, value in figure["stages_ms"].items():
        print(f"    {stage:28} {value:8.2f} ms  {100 * value / figure['step_ms']:5.1f}%")


if __name__ == "__main__":
    main()
