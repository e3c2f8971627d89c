"""Make a contact sheet of the cutouts of a picture, as each cutout strategy shows them to the perceptors.

    python benchmarks/cutouts.py PICTURE OUT.png [--size 96] [--plain]

There is a row for each strategy at the first and at the last step of a run; `--plain` leaves the augmentations out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image

import pixforge
from pixforge.engine.build import build

STRATEGIES = ("random", "pixray", "disco", "pytti", "aphantasia")
STEPS = 100
SHOWN = 16


def rows(picture: Path, side: int, *, plain: bool) -> torch.Tensor:
    """The rows of the sheet, `[rows, 3, side, SHOWN * side]`."""
    made = []
    for name in STRATEGIES:
        recipe = {"prompts": ["a"], "seed": 1, "steps": STEPS, "cutouts": {"type": name, "count": SHOWN}}
        session = build(pixforge.load_recipe(recipe | ({"augmentations": []} if plain else {})))
        image = session.context.read_image(picture.resolve()).unsqueeze(0)
        for step in (0, STEPS - 1):
            size = (image.shape[-1], image.shape[-2])
            plan = session.sampler.plan(size, step, side)
            made.append(torch.cat(list(session.sampler.cut(image, plan, side)[0]), dim=-1))
    return torch.stack(made)


def main() -> None:
    """Read the arguments and save the sheet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    with torch.no_grad():
        sheet = torch.cat(list(rows(options.picture, options.size, plain=options.plain)), dim=-2)
    pixels = (sheet.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(options.out)


if __name__ == "__main__":
    main()
