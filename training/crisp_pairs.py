"""What the network that sharpens learns from: drawings at 512 pixels, and at 128 as soft as runs with the VQGAN make them.

Usage: `python training/crisp_pairs.py`, once before train_crisp.py; it takes about ten minutes.

A run that starts from 8 x 8 codes has outlines as fine as 64 pixels show them, and sharpens some of them. So the small picture
is a blend of the drawing as the VQGAN shows it at 64 pixels, enlarged, and the drawing itself, seen once more through the VQGAN.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
from compose import Art, Composer, Words
from data import VECTOR_STYLES, Emoji, other_names, read_emoji, render_style
from rows import Rows
from torch import Tensor
from torch.nn import functional

from pixforge.builtin.generators.vqgan.load import load_vqgan
from pixforge.builtin.generators.vqgan.model import find
from pixforge.builtin.generators.vqgan.network import VQGAN
from pixforge.builtin.models import builtin_catalog

LARGE, SMALL, CODED = 512, 128, 64
HELD = "twemoji"
EVERY = 9
"""Of so many drawings of a style, one: this many at 512 pixels fit into memory, and there are few kinds of edges."""
PICTURES = 1800
TESTED = 96
SEED = 23
SOFT = 0.35
"""Share of the small pictures that show no more than 64 pixels did."""
COLOR_CELLS = 16
"""Colors are compared in so many cells across."""
JITTER = 0.15
"""Noise on the latents, as far as optimizing moves them."""


@dataclass(frozen=True)
class CrispPairs(Rows):
    """Pictures `large` (n, 3, 512, 512) and `small` (n, 3, 128, 128), uint8."""

    large: Tensor
    small: Tensor


def words_of(emoji: Emoji) -> Words:
    """An emoji as compose.py knows it."""
    return Words(emoji.name, tuple(other_names(emoji)), emoji.keywords, emoji.group, emoji.subgroup)


def render(modules: Path, styles: tuple[str, ...]) -> Art:
    """Some drawings of each style at 512 pixels."""
    emoji = read_emoji(modules)
    chosen = {style: emoji[number % EVERY :: EVERY] for number, style in enumerate(styles)}
    with Pool() as pool:
        jobs = [(style, chosen[style]) for style in styles]
        found = pool.starmap(partial(render_one, modules), jobs, chunksize=1)
    at = {each.code: number for number, each in enumerate(emoji)}
    rows = [
        (at[chosen[style][index].code], number, picture)
        for number, (style, drawn) in enumerate(zip(styles, found, strict=True))
        for index, picture in drawn
    ]
    pictures = torch.from_numpy(np.stack([picture for *_, picture in rows])).permute(0, 3, 1, 2).contiguous()
    labels, numbers = (torch.tensor([row[k] for row in rows]) for k in (0, 1))
    inked = torch.zeros(len(rows), dtype=torch.bool)
    return Art(pictures, labels, numbers, [words_of(each) for each in emoji], inked)


def render_one(modules: Path, style: str, emoji: list[Emoji]) -> list[tuple[int, np.ndarray]]:
    """One style's drawings with their places in the list."""
    return render_style(modules, style, emoji, LARGE)


def softened(vqgan: VQGAN, large: Tensor) -> Tensor:
    """The pictures (n, 3, 128, 128) in 0..1 that a run might have made of these (n, 3, 512, 512)."""
    sharp, coded = (functional.interpolate(large, side, mode="area") for side in (SMALL, CODED))
    soft = functional.interpolate(through(vqgan, coded, 0.0), SMALL, mode="bicubic", align_corners=False)
    share = (torch.rand(len(large), 1, 1, 1) - SOFT).clamp(min=0) / (1 - SOFT)
    return in_colors_of(through(vqgan, soft + (sharp - soft) * share, JITTER), sharp)


def in_colors_of(pictures: Tensor, wanted: Tensor) -> Tensor:
    """Pictures (n, 3, s, s) with the colors that quantizing moved moved back, which guidance does in a run; edges stay."""
    cells = pictures.shape[-1] // COLOR_CELLS
    difference = functional.avg_pool2d(wanted - pictures, cells)
    smooth = functional.interpolate(difference, pictures.shape[-1], mode="bilinear", align_corners=False)
    return (pictures + smooth).clamp(0, 1)


def through(vqgan: VQGAN, pictures: Tensor, jitter: float) -> Tensor:
    """Pictures in 0..1 as the VQGAN shows them, with noise of up to so much on the latents."""
    with torch.autocast("cpu", torch.bfloat16):
        latents = vqgan.encode(pictures.clamp(0, 1) * 2 - 1)
        latents = latents + torch.randn_like(latents) * jitter * torch.rand(len(latents), 1, 1, 1)
        decoded = vqgan.decode(vqgan.quantize.entries(vqgan.quantize.codes(latents.float())))
    return ((decoded.float() + 1) / 2).clamp(0, 1)


@torch.no_grad()
def made(art: Art, vqgan: VQGAN, number: int) -> Iterator[CrispPairs]:
    """Pairs, a few at a time."""
    device = torch.device("cpu")
    compose = Composer(art, LARGE, device, pairs=0.12, tints=0.12, styled=0.12, places=0.2, degraded=False)
    for done in range(0, number, 8):
        large = compose(8).pictures
        small = softened(vqgan, large.float() / 255)
        yield CrispPairs(large, (small * 255).round().to(torch.uint8))
        if done % 80 == 0:
            print(done, number, flush=True)


def place(folder: Path, part: str) -> Path:
    """The file of the pairs that are trained on, or of those that are tested on."""
    return folder / f"crisp-{part}.npz"


def main() -> None:
    """Draw and soften, unless it is done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--modules", type=Path, default=Path("training/node_modules"))
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    options = parser.parse_args()
    vqgan = load_vqgan(find(builtin_catalog(), "embedded", Path()))
    seen = tuple(style for style in VECTOR_STYLES if style != HELD)
    for part, styles, number in (("test", (HELD,), TESTED), ("train", seen, PICTURES)):
        if not place(options.work, part).exists():
            torch.manual_seed(SEED)
            art = render(options.modules, styles)
            CrispPairs.join(made(art, vqgan, number)).save(place(options.work, part))


if __name__ == "__main__":
    main()
