"""The codes that the embedded VQGAN has for the open art: drawings alone, in colors not their own, and two at once.

Usage: `python training/codes.py`, once before train_tokens.py; it takes minutes and goes on where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from compose import (
    ALONE,
    BACKGROUNDS,
    COLORS,
    NO_COLOR,
    PAINTED,
    Art,
    colored,
    load_art,
    pair_weights,
    tint,
    wanted,
    warp,
)
from grounds import with_grounds
from rows import Drawn
from styles import PLAIN, in_style
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
# Shares of the drawings of one color that have dark lines, and that are filled.
DARK = 0.75
FILLED = 0.75
BATCH = 64


@dataclass(frozen=True)
class Coded(Drawn):
    """Codes (n, rows, columns) and what they show.

    `colors` (n,) the background, of BACKGROUNDS, `tints` (n,) the color that the
    drawing was given or NO_COLOR, `others` (n,) a second drawing or ALONE, `stacked` (n,) whether the first is above
    the second instead of on its left, and `styles` (n,) the style that it is drawn in or PLAIN.
    """

    codes: Tensor
    colors: Tensor
    tints: Tensor
    others: Tensor
    stacked: Tensor
    styles: Tensor


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def grounds(n: int) -> Tensor:
    """Background colors (n,), white the commonest."""
    color = torch.randint(len(COLORS), (n,))
    color[torch.rand(n) < WHITE_SHARE] = list(COLORS).index("white")
    return color


def shown(pictures: Tensor, colors: Tensor) -> Coded:
    """Drawings (n,) as they are, on the grounds (n,); codes are still missing."""
    n = len(pictures)
    own, alone, plain = (torch.full((n,), value) for value in (NO_COLOR, ALONE, PLAIN))
    return Coded(pictures, torch.empty(n, 0), colors, own, alone, torch.zeros(n, dtype=torch.bool), plain)


def singles(art: Art) -> Coded:
    """Every drawing once."""
    return shown(torch.arange(len(art.labels)), grounds(len(art.labels)))


def placed_somewhere(art: Art, n: int) -> Coded:
    """Drawings before a place."""
    chosen = torch.multinomial(wanted(art), n, replacement=True)
    return shown(chosen, torch.randint(len(COLORS), len(BACKGROUNDS), (n,)))


def styled(art: Art, n: int) -> Coded:
    """Drawings in a style."""
    chosen = torch.multinomial(wanted(art), n, replacement=True)
    return replace(shown(chosen, grounds(n)), styles=torch.randint(PLAIN, (n,)))


def tinted(art: Art, n: int) -> Coded:
    """Drawings in a color that is not that of their ground."""
    plain = torch.tensor([w.group in PAINTED or w.subgroup == "heart" for w in art.words])[art.labels]
    colors, tints = grounds(n), torch.randint(len(COLORS), (n,))
    tints = torch.where(tints == colors, (tints + 1) % len(COLORS), tints)
    chosen = torch.multinomial(wanted(art) * plain, n, replacement=True)
    return replace(shown(chosen, colors), tints=tints)


def pairs(art: Art, n: int) -> Coded:
    """Two drawings of one style, half of them plain shapes."""
    weights = pair_weights(art)
    first = torch.multinomial(weights, n, replacement=True)
    second = torch.empty_like(first)
    for style in art.styles.unique():
        where = (art.styles[first] == style).nonzero().squeeze(1)
        if not len(where):  # a style of which nothing was chosen
            continue
        second[where] = torch.multinomial(weights * (art.styles == style), len(where), replacement=True)
    return replace(shown(first, grounds(n)), others=second, stacked=torch.rand(n) < 0.5)


def drawing(art: Art, chosen: Tensor, side: int) -> Tensor:
    """Premultiplied drawings (n, 4, side, side) in 0..1, some of them mirrored."""
    n, device = len(chosen), art.pictures.device
    directed = torch.tensor([w.directed for w in art.words], device=device)[art.labels[chosen]]
    matrix = torch.zeros(n, 3, 3, device=device)
    matrix[:, 0, 0] = torch.where(directed | (torch.rand(n, device=device) < 0.5), 1.0, -1.0) / SCALE
    matrix[:, 1, 1], matrix[:, 2, 2] = 1 / SCALE, 1
    small = functional.interpolate(art.pictures[chosen].float() / 255, side, mode="area")
    drawn = warp(small, matrix, side)
    one = art.inked[chosen].nonzero().squeeze(1)
    if len(one):
        drawn[one] = colored(drawn[one], DARK, FILLED)
    return drawn


def placed(art: Art, scene: Coded, side: int = SIDE) -> Tensor:
    """Pictures (n, 3, side, side) in -1..1."""
    palette = torch.tensor(list(COLORS.values()), device=art.pictures.device).float() / 255
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
    behind = background(scene.colors, side)
    picture = (drawn[:, :3] + behind * (1 - drawn[:, 3:])).clamp(0, 1)
    return in_style(picture, scene.styles) * 2 - 1


def background(numbers: Tensor, side: int) -> Tensor:
    """The backgrounds (n, 3, side, side) in 0..1 of the numbers (n,) among BACKGROUNDS."""
    palette = torch.tensor(list(COLORS.values()), device=numbers.device).float() / 255
    behind = palette[numbers.clamp(max=len(COLORS) - 1)][:, :, None, None].repeat(1, 1, side, side)
    return with_grounds(behind, numbers - len(COLORS))


@torch.no_grad()
def encode(model: VQGAN, art: Art, scene: Coded, device: torch.device) -> Coded:
    """The scene with its codes."""
    codes = []
    art = art.to(device)
    for part in torch.arange(len(scene.pictures)).split(BATCH):
        pictures = placed(art, scene.at(part).to(device))
        with torch.autocast(device.type, torch.bfloat16):
            z = model.encode(pictures)
        codes.append(model.quantize.codes(z.float()).cpu().to(torch.int16))
    return replace(scene, codes=torch.cat(codes))


def version(art: Art) -> Coded:
    """Each drawing once, as many pairs, and half as many in other colors, in styles and before places."""
    n = len(art.labels)
    return Coded.join(
        (singles(art), tinted(art, n // 2), pairs(art, n), styled(art, n // 2), placed_somewhere(art, n // 2))
    )


def load(folder: Path, weights: Path) -> Coded:
    """All versions that were made with these weights."""
    return Coded.read(folder, f"codes-{digest(weights)[:12]}-{SIDE}-*.npz", "codes.py")


def main() -> None:
    """Encode what is not encoded yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    parser.add_argument("--icons", type=Path, help="the archive of icons.py at the same size: more names")
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--versions", type=int, default=VERSIONS)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    files, device = find(builtin_catalog(), "embedded", Path()), torch.device(options.device)
    name = f"codes-{digest(files.weights)[:12]}-{SIDE}"
    model, art = load_vqgan(files).to(device), load_art(options.data, options.icons)
    for index in range(options.versions):
        file = options.work / f"{name}-{index}.npz"
        if not file.exists():
            torch.manual_seed(SEED + index)
            encode(model, art, version(art), device).save(file)
            print(file.name, flush=True)


if __name__ == "__main__":
    main()
