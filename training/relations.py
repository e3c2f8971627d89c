"""How often samples show two colored shapes, and on the sides that the text says.

Usage: `python training/relations.py`, about a minute. The color of a half is that of most of its saturated pixels.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from compose import COLORS
from torch import Tensor

from pixforge.builtin.inits.tokens import TokensConfig
from pixforge.tokens.card import find_tokens
from pixforge.tokens.load import load_tokens

NAMES = ("red", "yellow", "green", "blue")
SHAPES = (("circle", "square"), ("heart", "circle"))
PLACES = {"left of": 2, "above": 1}  # and the dimension of [3, h, w] that it cuts
EACH = 4
SEED = 7


def color(part: Tensor) -> str | None:
    """The commonest of the colors in [3, h, w]; None where hardly anything is colored."""
    pixels = part.flatten(1).T
    colored = pixels[pixels.amax(1) - pixels.amin(1) > 0.3]
    if len(colored) < 20:
        return None
    palette = torch.tensor([COLORS[name] for name in NAMES]).float() / 255
    return NAMES[int(torch.cdist(colored, palette).argmin(1).bincount().argmax())]


def main() -> None:
    """Draw, look, count."""
    model, config = load_tokens(find_tokens("embedded", Path())), TokensConfig()
    both = right = count = 0
    for wanted, (where, dim), shapes in itertools.product(
        itertools.permutations(NAMES, 2), PLACES.items(), SHAPES
    ):
        text = f"a {wanted[0]} {shapes[0]} {where} a {wanted[1]} {shapes[1]}"
        uniform = torch.rand(EACH, model.shape.count, generator=torch.Generator().manual_seed(SEED))
        for picture in model.decode(model.sample(text, uniform, config.choice, config.guidance)):
            found = tuple(map(color, picture.chunk(2, dim)))
            both, right, count = both + (set(found) == set(wanted)), right + (found == wanted), count + 1
    print(f"{count} samples: both colors {both / count:.0%}, on the right sides {right / count:.0%}")


if __name__ == "__main__":
    main()
