"""Fit the head `embedded` of the loss `aesthetic`: how clean a drawing is, from the perceptor's embedding of it.

Nobody has said of these drawings which they like, so the head learns what anybody can see: the art as it was drawn scores
10, and the same drawing with what optimization does to pictures (leftover codes, blotches, grain, blur, jumbled pieces)
down to 1.

Usage: `python training/train_aesthetic.py`, after data.py; it takes about five minutes of one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from codes import placed, singles
from compose import load_art, smooth_noise
from data import STYLES
from rows import HELD
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from pixforge.builtin.generators.vqgan.load import load_vqgan
from pixforge.builtin.generators.vqgan.model import find
from pixforge.builtin.generators.vqgan.network import VQGAN
from pixforge.builtin.models import builtin_catalog
from pixforge.search.perceptors import open_perceptors, recipe_of

TARGET = Path(__file__).parents[1] / "pixforge" / "builtin" / "losses" / "aesthetic.safetensors"
BEST, WORST = 10.0, 1.0
BATCH = 64
CELL = 8
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
Spoil = Callable[[Tensor, Tensor], Tensor]
"""Spoils pictures (n, 3, s, s) in 0..1 by strengths (n, 1, 1, 1) in 0..1."""


def blotches(pictures: Tensor, strength: Tensor) -> Tensor:
    """Random colors, in as much of the picture as the strength says."""
    n, _, side, _ = pictures.shape
    places = smooth_noise(n, 6, side, pictures.device)[:, :1]
    rank = places.flatten(1).argsort(1).argsort(1).view_as(places) / side**2
    return torch.lerp(
        pictures, smooth_noise(n, 12, side, pictures.device), ((strength - rank) * 8).clamp(0, 1)
    )


def grain(pictures: Tensor, strength: Tensor) -> Tensor:
    """Noise of each pixel, up to a standard deviation of .35."""
    return pictures + torch.randn_like(pictures) * 0.35 * strength


def blur(pictures: Tensor, strength: Tensor) -> Tensor:
    """Fading into means over 12 x 12 pixels."""
    padded = functional.pad(pictures, (6, 5, 6, 5), mode="reflect")
    return torch.lerp(pictures, functional.avg_pool2d(padded, 12, stride=1), strength)


def jumble(pictures: Tensor, strength: Tensor) -> Tensor:
    """A share of the cells of 8 x 8 pixels shows other cells."""
    n, _, side, _ = pictures.shape
    cells = functional.unfold(pictures, CELL, stride=CELL)
    order = torch.rand(n, cells.shape[2]).argsort(1)
    moved = cells.gather(2, order[:, None, :].expand_as(cells))
    chosen = torch.rand(n, 1, cells.shape[2]) < strength.view(n, 1, 1)
    return functional.fold(torch.where(chosen, moved, cells), (side, side), CELL, stride=CELL)


def as_colorful(spoiled: Tensor, pictures: Tensor) -> Tensor:
    """The spoiled pictures with the mean and the deviation of each channel that they had.

    What is spoiled tends to gray. A head that knows it so asks for black, blue and strong contrast, and for nothing else.
    """
    dims = (2, 3)
    spread = pictures.std(dims, keepdim=True) / spoiled.std(dims, keepdim=True).clamp(min=1e-3)
    centered = spoiled - spoiled.mean(dims, keepdim=True)
    return centered * spread.clamp(max=4) + pictures.mean(dims, keepdim=True)


def codes_with(vqgan: VQGAN) -> Spoil:
    """A share of the codes of the embedded VQGAN is random."""

    def spoil(pictures: Tensor, strength: Tensor) -> Tensor:
        codes = vqgan.quantize.codes(vqgan.encode(pictures * 2 - 1))
        other = torch.randint(int(codes.max()) + 1, codes.shape)
        spoiled = torch.where(torch.rand(codes.shape) < strength.view(-1, 1, 1), other, codes)
        return vqgan.decode(vqgan.quantize.entries(spoiled)).float() / 2 + 0.5

    return spoil


@torch.no_grad()
def examples(data: Path, versions: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Embeddings (n, D), scores (n,), which spoiler it was (n,), and whether it shows the style held out (n,)."""
    torch.manual_seed(3)
    art = load_art(data)
    vqgan = load_vqgan(find(builtin_catalog(), "embedded", Path()))
    perceptor = open_perceptors(recipe_of("embedded", device="cpu"))[0].perceptor
    spoilers: list[Spoil] = [blotches, grain, blur, jumble, codes_with(vqgan)]
    seen, scores, kinds, held = [], [], [], []
    for _ in range(versions):
        scene = singles(art)
        for number, part in enumerate(torch.randperm(len(scene.pictures)).split(BATCH)):
            shown = scene.at(part)
            pictures, kind = placed(art, shown) / 2 + 0.5, number % len(spoilers)
            strength = torch.rand(len(part), 1, 1, 1)
            strength[: len(part) // 8] = 0
            spoiled = as_colorful(spoilers[kind](pictures, strength), pictures)
            seen.append(perceptor.encode_image(spoiled.clamp(0, 1)))
            scores.append(BEST + (WORST - BEST) * strength.flatten())
            kinds.append(torch.full((len(part),), kind))
            held.append(art.styles[shown.pictures] == STYLES.index(HELD))
            if number % 60 == 0:
                print(number * BATCH, "of", len(scene.pictures), flush=True)
    return torch.cat(seen), torch.cat(scores), torch.cat(kinds), torch.cat(held)


def ridge(seen: Tensor, scores: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Weight (D,) and bias of the linear map nearest to the scores."""
    middle, mean = seen.mean(0), scores.mean()
    centered = (seen - middle).double()
    gram = centered.T @ centered / len(seen) + strength * torch.eye(seen.shape[1]) * centered.var()
    weight = torch.linalg.solve(gram, centered.T @ (scores - mean).double() / len(seen)).float()
    return weight, mean - middle @ weight


def told(weight: Tensor, bias: Tensor, seen: Tensor, scores: Tensor) -> dict[str, float]:
    """How well the map tells the scores."""
    found = seen @ weight + bias
    ranks = torch.stack([found.argsort().argsort(), scores.argsort().argsort()]).float()
    error = (found - scores).square().mean().sqrt()
    return {
        "rank correlation": round(float(torch.corrcoef(ranks)[0, 1]), 3),
        "root mean square error": round(float(error), 2),
    }


def main() -> None:
    """Embed the examples, fit the head, and print what it tells of pictures that it was not fitted on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=Path("training/work/data.npz"))
    parser.add_argument("--versions", type=int, default=1, help="how often each drawing is shown")
    options = parser.parse_args()
    seen, scores, kinds, held = examples(options.data, options.versions)
    fit = ~held & (torch.arange(len(seen)) % 8 != 0)
    judged = [(ridge(seen[fit], scores[fit], each), each) for each in RIDGES]
    check = ~held & ~fit
    (weight, bias), chosen = min(
        judged, key=lambda each: told(*each[0], seen[check], scores[check])["root mean square error"]
    )
    save_file({"weight": weight[None], "bias": bias[None]}, TARGET)
    print(json.dumps({"ridge": chosen, "fitted on": int(fit.sum())}))
    print(json.dumps({"other drawings": told(weight, bias, seen[check], scores[check])}))
    print(json.dumps({"style never seen": told(weight, bias, seen[held], scores[held])}))
    names = ("blotches", "grain", "blur", "jumble", "codes")
    for kind, name in enumerate(names):
        where = held & (kinds == kind)
        print(json.dumps({name: told(weight, bias, seen[where], scores[where])}))


if __name__ == "__main__":
    main()
