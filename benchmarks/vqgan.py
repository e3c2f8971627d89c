"""Measure how much longer a VQGAN step takes than the models' own arithmetic, and the memory for each picture size.

    python benchmarks/vqgan.py [--rounds 10] [--sizes 256 512 1024] [--json FILE]

The published model has random weights; neither time nor memory depends on them. Steps and floors alternate in this
process. Each memory figure is the peak of a separate process, including imports and models. `--rounds 0` leaves the
times out, and `--sizes` without a number leaves the memory out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import save_file
from step import measure

import pixforge
from pixforge.builtin.generators.vqgan.load import build as build_vqgan
from pixforge.builtin.generators.vqgan.network_config import parse_config
from pixforge.cli.process import keep_freed_memory
from pixforge.engine.build import build

F16 = {
    "double_z": False,
    "z_channels": 256,
    "resolution": 256,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 128,
    "ch_mult": [1, 1, 2, 2, 4],
    "num_res_blocks": 2,
    "attn_resolutions": [16],
    "dropout": 0.0,
}
PEAK = (
    "import json, sys, torch, pixforge\n"
    "from pixforge.cli.process import keep_freed_memory\n"
    "from pixforge.engine.room import peak\n"
    "keep_freed_memory()\n"
    "recipe = pixforge.load_recipe(json.loads(sys.argv[1]))\n"
    "for _ in pixforge.optimize(recipe): pass\n"
    "print(peak(torch.device('cuda' if torch.cuda.is_available() else 'cpu')) / 2**20)\n"
)


def write_published(folder: Path) -> Path:
    """Write an f16 model with 16,384 codes and random weights, in the form that taming publishes."""
    params = {"embed_dim": 256, "n_embed": 16384, "ddconfig": F16}
    content = {"model": {"target": "taming.models.vqgan.VQModel", "params": params}}
    (folder / "f16.yaml").write_text(yaml.safe_dump(content))
    save_file(build_vqgan(parse_config(content, "f16")).state_dict(), folder / "f16.safetensors")
    return folder / "f16.safetensors"


def recipe(model: str, size: int, **generator: Any) -> dict[str, Any]:
    """The recipe of a VQGAN with the embedded perceptor and 24 cutouts."""
    return {
        "prompts": ["a red heart"],
        "size": [size, size],
        "steps": 1,
        "seed": 1,
        "generator": {"type": "vqgan", "model": model, **generator},
        "cutouts": {"type": "random", "count": 24},
    }


def peak(wanted: dict[str, Any]) -> float:
    """The peak memory in MiB of a separate process that makes one step."""
    command = [sys.executable, "-c", PEAK, json.dumps(wanted)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def memory(models: dict[str, str], sizes: list[int]) -> Iterator[dict[str, Any]]:
    """Yield a row for each model and size, with and without checkpointing."""
    for name, model in models.items():
        for size in sizes:
            for checkpointing in (False, True):
                if size > 512 and not checkpointing and name != "embedded":
                    continue  # would need tens of GiB
                value = peak(recipe(model, size, checkpointing=checkpointing))
                row = {"model": name, "size": size, "checkpointing": checkpointing, "mib": round(value)}
                print(json.dumps(row), flush=True)
                yield row


def main() -> None:
    """Measure and print figures."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--sizes", type=int, nargs="*", default=[256, 512, 1024])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = {"embedded": "embedded", "f16, 16384 codes": str(write_published(Path(folder)))}
        steps = {}
        for name, model in models.items() if options.rounds else ():
            session = build(pixforge.load_recipe({**recipe(model, 256), "steps": 1000}))
            steps[name] = measure(session, options.rounds)
            print(name, json.dumps(steps[name], default=float), flush=True)
        rows = list(memory(models, options.sizes))
    facts = {"torch": torch.__version__, "threads": torch.get_num_threads(), "steps": steps, "memory": rows}
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
