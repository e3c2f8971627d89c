"""What the miniature of DALL-E 2 learns from: latents of the embedded VQGAN, and embeddings of pictures and of texts.

Usage: `python training/latents.py`, once before train_prior.py and train_decoder.py; it goes on where it stopped.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from captions import Writer, spoken_colors
from codes import SIDE, Coded, digest, pairs, placed, placed_somewhere, singles, styled, tinted
from compose import Art, load_art
from rows import Drawn
from torch import Tensor, nn
from torch.nn import functional
from train_tokens import Reader, Speaker

from pixforge.builtin.generators.vqgan.load import load_vqgan
from pixforge.builtin.generators.vqgan.model import find
from pixforge.builtin.generators.vqgan.network import VQGAN
from pixforge.builtin.models import builtin_catalog

VERSIONS = 2
SEED = 11
BATCH = 64
SAYINGS = 4
"""Texts for each picture."""


@dataclass(frozen=True)
class Pictured(Drawn):
    """Latents (n, 16, 8, 8), unit vectors (n, 256) of the pictures and those of texts (n, SAYINGS, 256).

    All zero stands for a text that says nothing. `colors` and `tints` are as in `codes.Coded`.
    """

    latents: Tensor
    seen: Tensor
    said: Tensor
    colors: Tensor
    tints: Tensor


def scene(art: Art) -> Coded:
    """Each drawing once, and a quarter as many in other colors, of two drawings, in styles and before places."""
    quarter = len(art.labels) // 4
    more = (draw(art, quarter) for draw in (tinted, pairs, styled, placed_somewhere))
    return Coded.join((singles(art), *more))


def look(perceptor: nn.Module, pictures: Tensor) -> Tensor:
    """How the perceptor sees pictures (n, 3, 64, 64) in -1..1, which it takes as -2..2: unit vectors (n, 256)."""
    return functional.normalize(perceptor.encode_image(pictures / 0.5).float(), dim=1)  # type: ignore[operator]


@torch.no_grad()
def version(art: Art, vqgan: VQGAN, read: Reader, seed: int) -> Pictured:
    """One picture of each drawing, and what may be said of it."""
    torch.manual_seed(seed)
    coded, writer, speaker = scene(art), Writer(art.words, spoken_colors(art), seed), Speaker(art)
    latents, seen, said = [], [], []
    there = art.to(read.device)
    for number, part in enumerate(torch.arange(len(coded.pictures)).split(BATCH)):
        shown = coded.at(part)
        pictures = placed(there, shown.to(read.device))
        with torch.autocast(read.device.type, torch.bfloat16):
            latents.append(vqgan.encode(pictures).half().cpu())
        seen.append(look(read.network, pictures).half().cpu())
        texts = [speaker.caption(writer, shown, index) for index in range(len(part)) for _ in range(SAYINGS)]
        sentences = read.sentences(read.tokens(texts).to(read.device))
        said.append(sentences.view(len(part), SAYINGS, -1).half().cpu())
        if number % 40 == 0:
            print(number * BATCH, len(coded.pictures), flush=True)
    return Pictured(
        coded.pictures, torch.cat(latents), torch.cat(seen), torch.cat(said), coded.colors, coded.tints
    )


def made_with(weights: Path) -> str:
    """The VQGAN and the perceptor in a folder, whose latents and embeddings are written: a part of the files' names."""
    return "-".join(digest(weights / f"{name}.safetensors")[:12] for name in ("vqgan", "perceptor"))


def load(folder: Path, weights: Path) -> Pictured:
    """All versions that were made with the VQGAN and the perceptor in the folder `weights`."""
    return Pictured.read(folder, f"latents-{made_with(weights)}-{SIDE}-?.npz", "latents.py")


def main() -> None:
    """Encode what is not encoded yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    parser.add_argument("--icons", type=Path, help="the archive of icons.py at the same size: more names")
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--merges", type=Path, default=Path("pixforge/models/embedded/merges.txt.gz"))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--versions", type=int, default=VERSIONS)
    options = parser.parse_args()
    files = find(builtin_catalog(), "embedded", Path())
    name = f"latents-{made_with(files.weights.parent)}-{SIDE}"
    device = torch.device(options.device)
    vqgan, read = load_vqgan(files).to(device), Reader(options.merges, device)
    art = load_art(options.data, options.icons)
    for index in range(options.versions):
        file = options.work / f"{name}-{index}.npz"
        if not file.exists():
            version(art, vqgan, read, SEED + index).save(file)
            print(file.name, flush=True)


if __name__ == "__main__":
    main()
