"""How often pictures show two colored shapes, and on the sides that the text says.

Usage: `python training/relations.py`, for the transformer's samples, about a minute; with `--runs`, for what the default
recipe makes of the best of them, two minutes. The color of a half is that of most of its saturated pixels.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import yaml
from compose import COLORS
from torch import Tensor

import pixforge
from pixforge.builtin.inits.text_to_codes.init import TokensConfig
from pixforge.builtin.inits.text_to_codes.load import load_tokens
from pixforge.builtin.inits.text_to_codes.model import find_tokens
from pixforge.builtin.models import builtin_catalog
from pixforge.engine.build import build

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


def texts() -> Iterator[tuple[str, tuple[str, str], int]]:
    """Each prompt, the colors in the order of the picture's halves, and the dimension that these divide."""
    for colors, (where, dim), shapes in itertools.product(
        itertools.permutations(NAMES, 2), PLACES.items(), SHAPES
    ):
        yield f"a {colors[0]} {shapes[0]} {where} a {colors[1]} {shapes[1]}", colors, dim


def samples() -> Iterator[tuple[Tensor, tuple[str, str], int]]:
    """The transformer's pictures [3, h, w], as a run samples them; none is chosen."""
    model, config = (
        load_tokens(find_tokens(builtin_catalog(), "embedded", Path()), builtin_catalog()),
        TokensConfig(),
    )
    for text, wanted, dim in texts():
        uniform = torch.rand(EACH, model.shape.count, generator=torch.Generator().manual_seed(SEED))
        for picture in model.decode(model.sample(text, uniform, config.choice, config.guidance)):
            yield picture, wanted, dim


def runs(overrides: dict[str, Any]) -> Iterator[tuple[Tensor, tuple[str, str], int]]:
    """The default recipe's pictures [3, h, w]."""
    for text, wanted, dim in texts():
        session = build(pixforge.load_recipe({"prompts": [text]}, overrides={"seed": SEED, **overrides}))
        picture = session.start().image
        for report in session.run():
            picture = report.image
        yield picture[0], wanted, dim


def main() -> None:
    """Draw, look, count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--runs", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="of the recipe")
    options = parser.parse_args()
    both = right = count = 0
    overrides = {path: yaml.safe_load(value) for path, value in (each.split("=", 1) for each in options.set)}
    for picture, wanted, dim in runs(overrides) if options.runs else samples():
        found = tuple(map(color, picture.chunk(2, dim)))
        both, right, count = both + (set(found) == set(wanted)), right + (found == wanted), count + 1
    print(f"{count} pictures: both colors {both / count:.0%}, on the right sides {right / count:.0%}")


if __name__ == "__main__":
    main()
