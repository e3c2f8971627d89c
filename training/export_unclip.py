"""Write the miniature of DALL-E 2, prior and decoder, in half precision with the card that is read beside them.

Usage: `python training/export_unclip.py`; `python benchmarks/unclip.py SHEET.jpg` measures it then.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import torch
from codes import SIDE
from export import LICENSE, halve
from pixforge_unclip.card import CARD
from pixforge_unclip.networks import Decoder, DecoderShape, Prior, PriorShape
from safetensors.torch import save_file
from torch import nn

from pixforge.builtin.generators.vqgan.model import find
from pixforge.builtin.models import builtin_catalog
from pixforge.models import resolve
from pixforge.models.files import sha256_of

OUT = Path("plugins/unclip/pixforge_unclip/models")


def write(name: str, network: nn.Module, work: Path, folder: Path) -> str:
    """The running mean of the last checkpoint, as NAME.safetensors; its hash."""
    state = torch.load(work / f"{name}.pt", map_location="cpu", weights_only=True)["ema"]
    network.load_state_dict(
        {k.removeprefix("module."): v for k, v in state.items() if k.startswith("module.")}
    )
    file, partial = folder / f"{name}.safetensors", folder / f".{name}.partial"
    save_file(halve(network.state_dict()), partial)
    partial.replace(file)
    count = sum(each.numel() for each in network.parameters())
    print(f"{name}: {count:,} parameters, {file.stat().st_size / 1e6:.2f} MB", flush=True)
    return sha256_of(file)


def main() -> None:
    """Export both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    prior, decoder = PriorShape(), DecoderShape()
    networks = {"prior": Prior(prior), "decoder": Decoder(decoder)}
    sums = {
        f"{name}.safetensors": write(name, each, options.work, options.out) for name, each in networks.items()
    }
    card = {
        "perceptor": {"type": "open_clip", "model": "embedded"},
        "generator": {"type": "vqgan", "model": "embedded"},
        "size": SIDE,
        "prior": dataclasses.asdict(prior),
        "decoder": dataclasses.asdict(decoder),
        "sha256": sums,
        "frozen": {
            "perceptor": sha256_of(resolve("embedded", None, Path()).file),
            "generator": sha256_of(find(builtin_catalog(), "embedded", Path()).weights),
        },
        "license": LICENSE,
    }
    (options.out / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
