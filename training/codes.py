"""The codes that the embedded VQGAN has for the open art, each drawing several times: mirrored, and on other colors.

Usage: `python training/codes.py`, once before train_tokens.py; it takes minutes and goes on where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from compose import COLORS, Art, load_art, warp
from torch import Tensor
from torch.nn import functional

from pixforge.vqgan.files import find
from pixforge.vqgan.load import load_vqgan
from pixforge.vqgan.model import VQGAN

SIDE = 64  # 8 x 8 codes: enough to tell what it is, and few enough to learn in an hour on a CPU
# Always in the same place: a moved drawing has other codes, which would be as much to learn as another drawing.
SCALE = 0.94
VERSIONS = 6
SEED = 5
WHITE_SHARE = 0.5
BATCH = 64


@dataclass(frozen=True)
class Coded:
    """Codes (n, rows, columns), which picture of the archive each is of (n,), and its background's color (n,)."""

    codes: Tensor
    pictures: Tensor
    colors: Tensor


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def placed(art: Art, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Drawings (n, 3, SIDE, SIDE) in -1..1 on one color each, and the color's index (n,)."""
    n = len(chosen)
    directed = torch.tensor([w.directed for w in art.words])[art.labels[chosen]]
    matrix = torch.zeros(n, 3, 3)
    matrix[:, 0, 0] = torch.where(directed | (torch.rand(n) < 0.5), 1.0, -1.0) / SCALE
    matrix[:, 1, 1], matrix[:, 2, 2] = 1 / SCALE, 1
    factor = art.pictures.shape[-1] // SIDE
    small = functional.avg_pool2d(art.pictures[chosen].float() / 255, factor)
    drawn = warp(small, matrix, SIDE)
    color = torch.randint(len(COLORS), (n,))
    color[torch.rand(n) < WHITE_SHARE] = list(COLORS).index("white")
    palette = torch.tensor(list(COLORS.values())).float() / 255
    behind = palette[color][:, :, None, None]
    return (drawn[:, :3] + behind * (1 - drawn[:, 3:])).clamp(0, 1) * 2 - 1, color


@torch.no_grad()
def encode(model: VQGAN, art: Art, device: torch.device) -> Coded:
    """All drawings once."""
    order = torch.arange(len(art.labels))
    codes, colors = [], []
    for chosen in order.split(BATCH):
        pictures, color = placed(art, chosen)
        with torch.autocast(device.type, torch.bfloat16):
            z = model.encode(pictures.to(device))
        codes.append(model.quantize.codes(z.float()).cpu().to(torch.int16))
        colors.append(color)
    return Coded(torch.cat(codes), order, torch.cat(colors))


def save(coded: Coded, file: Path) -> None:
    """Write one version in one move."""
    partial = file.with_suffix(".partial.npz")
    np.savez(partial, codes=coded.codes, pictures=coded.pictures, colors=coded.colors)
    partial.replace(file)


def load(folder: Path, weights: Path) -> Coded:
    """All versions that were made with these weights."""
    files = sorted(folder.glob(f"codes-{digest(weights)[:12]}-{SIDE}-*.npz"))
    if not files:
        raise SystemExit(f"{folder}: no codes of {weights.name}; run training/codes.py first")
    parts = [np.load(file) for file in files if "partial" not in file.name]
    joined = [
        torch.from_numpy(np.concatenate([p[k] for p in parts])) for k in ("codes", "pictures", "colors")
    ]
    return Coded(*joined)


def main() -> None:
    """Encode what is not encoded yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--versions", type=int, default=VERSIONS)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    files, device = find("embedded", Path()), torch.device(options.device)
    name = f"codes-{digest(files.weights)[:12]}-{SIDE}"
    model, art = load_vqgan(files).to(device), load_art(options.data)
    for version in range(options.versions):
        file = options.work / f"{name}-{version}.npz"
        if not file.exists():
            torch.manual_seed(SEED + version)
            save(encode(model, art, device), file)
            print(file.name, flush=True)


if __name__ == "__main__":
    main()
