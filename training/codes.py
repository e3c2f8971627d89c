"""The codes that the embedded VQGAN has for the open art: drawings alone, in colors not their own, and two at once.

Usage: `python training/codes.py`, once before train_tokens.py; it takes minutes and goes on where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from compose import ALONE, COLORS, NO_COLOR, PAINTED, Art, load_art, pair_weights, tint, wanted, warp
from rows import Drawn
from torch import Tensor
from torch.nn import functional

from pixforge.builtin.generators.vqgan.load import load_vqgan
from pixforge.builtin.generators.vqgan.model import find
from pixforge.builtin.generators.vqgan.network import VQGAN
from pixforge.builtin.models import builtin_catalog

SIDE = 64  # 8 x 8 codes: enough to tell what it is, and few enough to learn in an hour on a CPU
# Always in the same place: a moved drawing has other codes, which would be as much to learn as another drawing.
SCALE = 0.94
VERSIONS = 4
SEED = 5
WHITE_SHARE = 0.5
BATCH = 64


@dataclass(frozen=True)
class Coded(Drawn):
    """Codes (n, rows, columns) and what they show.

    `colors` (n,) the background's color, `tints` (n,) the color that the
    drawing was given or NO_COLOR, `others` (n,) a second drawing or ALONE, and `stacked` (n,) whether the first is above
    the second instead of on its left.
    """

    codes: Tensor
    colors: Tensor
    tints: Tensor
    others: Tensor
    stacked: Tensor


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def grounds(n: int) -> Tensor:
    """Background colors (n,), white the commonest."""
    color = torch.randint(len(COLORS), (n,))
    color[torch.rand(n) < WHITE_SHARE] = list(COLORS).index("white")
    return color


def singles(art: Art) -> Coded:
    """Every drawing once, as it is; codes are still missing."""
    n = len(art.labels)
    own, alone = torch.full((n,), NO_COLOR), torch.full((n,), ALONE)
    return Coded(torch.arange(n), torch.empty(n, 0), grounds(n), own, alone, torch.zeros(n, dtype=torch.bool))


def tinted(art: Art, n: int) -> Coded:
    """Drawings in a color that is not that of their ground."""
    plain = torch.tensor([w.group in PAINTED or w.subgroup == "heart" for w in art.words])[art.labels]
    colors, tints = grounds(n), torch.randint(len(COLORS), (n,))
    tints = torch.where(tints == colors, (tints + 1) % len(COLORS), tints)
    chosen = torch.multinomial(wanted(art) * plain, n, replacement=True)
    alone = torch.full((n,), ALONE)
    return Coded(chosen, torch.empty(n, 0), colors, tints, alone, torch.zeros(n, dtype=torch.bool))


def pairs(art: Art, n: int) -> Coded:
    """Two drawings of one style, half of them plain shapes."""
    weights = pair_weights(art)
    first = torch.multinomial(weights, n, replacement=True)
    second = torch.empty_like(first)
    for style in art.styles.unique():
        where = (art.styles[first] == style).nonzero().squeeze(1)
        second[where] = torch.multinomial(weights * (art.styles == style), len(where), replacement=True)
    own = torch.full((n,), NO_COLOR)
    return Coded(first, torch.empty(n, 0), grounds(n), own, second, torch.rand(n) < 0.5)


def drawing(art: Art, chosen: Tensor, side: int) -> Tensor:
    """Premultiplied drawings (n, 4, side, side) in 0..1, some of them mirrored."""
    directed = torch.tensor([w.directed for w in art.words])[art.labels[chosen]]
    n = len(chosen)
    matrix = torch.zeros(n, 3, 3)
    matrix[:, 0, 0] = torch.where(directed | (torch.rand(n) < 0.5), 1.0, -1.0) / SCALE
    matrix[:, 1, 1], matrix[:, 2, 2] = 1 / SCALE, 1
    factor = art.pictures.shape[-1] // side
    return warp(functional.avg_pool2d(art.pictures[chosen].float() / 255, factor), matrix, side)


def placed(art: Art, scene: Coded, side: int = SIDE) -> Tensor:
    """Pictures (n, 3, side, side) in -1..1."""
    palette = torch.tensor(list(COLORS.values())).float() / 255
    drawn = drawing(art, scene.pictures, side)
    own = (scene.tints == NO_COLOR)[:, None, None, None]
    drawn = torch.where(own, drawn, tint(drawn, palette[scene.tints]))
    two = (scene.others != ALONE).nonzero().squeeze(1)
    if len(two):
        half, quarter = side // 2, side // 4
        both = [drawing(art, each[two], half) for each in (scene.pictures, scene.others)]
        beside = functional.pad(torch.cat(both, dim=3), (0, 0, quarter, quarter))
        above = functional.pad(torch.cat(both, dim=2), (quarter, quarter))
        drawn[two] = torch.where(scene.stacked[two][:, None, None, None], above, beside)
    behind = palette[scene.colors][:, :, None, None]
    return (drawn[:, :3] + behind * (1 - drawn[:, 3:])).clamp(0, 1) * 2 - 1


@torch.no_grad()
def encode(model: VQGAN, art: Art, scene: Coded, device: torch.device) -> Coded:
    """The scene with its codes."""
    codes = []
    for part in torch.arange(len(scene.pictures)).split(BATCH):
        pictures = placed(art, scene.at(part))
        with torch.autocast(device.type, torch.bfloat16):
            z = model.encode(pictures.to(device))
        codes.append(model.quantize.codes(z.float()).cpu().to(torch.int16))
    return replace(scene, codes=torch.cat(codes))


def version(art: Art) -> Coded:
    """Each drawing once, half as many in other colors, and as many pairs."""
    n = len(art.labels)
    return Coded.join((singles(art), tinted(art, n // 2), pairs(art, n)))


def load(folder: Path, weights: Path) -> Coded:
    """All versions that were made with these weights."""
    return Coded.read(folder, f"codes-{digest(weights)[:12]}-{SIDE}-*.npz", "codes.py")


def main() -> None:
    """Encode what is not encoded yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--versions", type=int, default=VERSIONS)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    files, device = find(builtin_catalog(), "embedded", Path()), torch.device(options.device)
    name = f"codes-{digest(files.weights)[:12]}-{SIDE}"
    model, art = load_vqgan(files).to(device), load_art(options.data)
    for index in range(options.versions):
        file = options.work / f"{name}-{index}.npz"
        if not file.exists():
            torch.manual_seed(SEED + index)
            encode(model, art, version(art), device).save(file)
            print(file.name, flush=True)


if __name__ == "__main__":
    main()
