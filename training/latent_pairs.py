"""What the miniature's upsampler learns from: latents of the same drawings at 64 and at 128 pixels.

Usage: `python training/latent_pairs.py`, once before train_upsampler.py; it takes about ten minutes.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from codes import SIDE, placed
from compose import Art, load_art
from latents import look, made_with, scene
from rows import Drawn
from torch import Tensor
from torch.nn import functional
from train_tokens import Reader

from pixforge.builtin.generators.vqgan.load import load_vqgan
from pixforge.builtin.generators.vqgan.model import find
from pixforge.builtin.generators.vqgan.network import VQGAN
from pixforge.builtin.models import builtin_catalog

LARGE = 128
SEED = 17
BATCH = 32


@dataclass(frozen=True)
class Pairs(Drawn):
    """Latents `small` (n, 16, 8, 8) and `large` (n, 16, 16, 16), embeddings `seen` (n, 256)."""

    small: Tensor
    large: Tensor
    seen: Tensor


@torch.no_grad()
def encode(art: Art, vqgan: VQGAN, read: Reader) -> Pairs:
    """One pair of each drawing, and of a quarter as many in other colors."""
    torch.manual_seed(SEED)
    coded = scene(art)
    small, large, seen = [], [], []
    there = art.to(read.device)
    for number, part in enumerate(torch.arange(len(coded.pictures)).split(BATCH)):
        pictures = placed(there, coded.at(part).to(read.device), LARGE)
        halved = functional.avg_pool2d(pictures, LARGE // SIDE)
        with torch.autocast(read.device.type, torch.bfloat16):
            large.append(vqgan.encode(pictures).half().cpu())
            small.append(vqgan.encode(halved).half().cpu())
        seen.append(look(read.network, halved).half().cpu())
        if number % 40 == 0:
            print(number * BATCH, len(coded.pictures), flush=True)
    return Pairs(coded.pictures, torch.cat(small), torch.cat(large), torch.cat(seen))


def place(folder: Path, weights: Path) -> Path:
    """The file of the pairs that were made with the VQGAN and the perceptor in the folder `weights`."""
    return folder / f"pairs-{made_with(weights)}-{SIDE}-{LARGE}.npz"


def load(folder: Path, weights: Path) -> Pairs:
    """The pairs."""
    return Pairs.read(folder, place(folder, weights).name, "latent_pairs.py")


def main() -> None:
    """Encode, unless it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    parser.add_argument("--icons", type=Path, help="the archive of icons.py at the same size: more names")
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--merges", type=Path, default=Path("pixforge/models/embedded/merges.txt.gz"))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    files = find(builtin_catalog(), "embedded", Path())
    file = place(options.work, files.weights.parent)
    if file.exists():
        return
    device = torch.device(options.device)
    read = Reader(options.merges, device)
    made = encode(load_art(options.data, options.icons), load_vqgan(files).to(device), read)
    made.save(file)
    print(file.name, flush=True)


if __name__ == "__main__":
    main()
