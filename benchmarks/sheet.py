"""A contact sheet of 24 prompts with one recipe, and how each picture ranks by the perceptor that did not see it made.

    python benchmarks/sheet.py OUT.jpg [--recipe FILE] [--set PATH=VALUE ...] [--seed 1]

The sheet itself is numbered, so that somebody can name the pictures first and look at the labelled copy beside it
afterwards. In the JSON file, `prompts` has the place of the prompt among all 24 by the judge's cosine.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image, ImageDraw, ImageFont

import pixforge
from pixforge.engine import build
from pixforge.engine.perceive import whole

PROMPTS = (
    "a red heart", "a slice of pizza", "a penguin", "a butterfly", "a sunflower", "a cat face",
    "a house", "an umbrella", "a hamburger", "a sailboat", "a palm tree", "a frog",
    "a rocket", "a strawberry", "a guitar", "a snowman", "a red car", "a tropical fish",
    "a rainbow", "a mushroom", "a bicycle", "an owl", "a jack-o-lantern", "a cactus",
)  # fmt: skip
TILE = 192
COLUMNS = 6


def draw(prompt: str, recipe: dict[str, Any], overrides: dict[str, Any]) -> tuple[torch.Tensor, float]:
    """The final picture `[3, H, W]` and the seconds that it took."""
    start = time.perf_counter()
    loaded = pixforge.load_recipe({**recipe, "prompts": [prompt]}, overrides=overrides)
    image = torch.zeros(0)
    for report in pixforge.optimize(loaded):
        image = report.image
    return image[0].cpu(), time.perf_counter() - start


def judge_ranks(images: list[torch.Tensor]) -> list[int]:
    """The place, from 1, of each picture's own prompt among all."""
    recipe = pixforge.load_recipe(
        {"prompts": list(PROMPTS), "steps": 0, "perceptors": [{"type": "open_clip", "model": "judge"}]}
    )
    eye = build(recipe).eyes[0]
    with torch.no_grad():
        seen = eye.perceptor.encode_image(whole(torch.stack(images), eye.perceptor.input_size))
    cosine = seen @ eye.seats[0].targets[0].T
    own = cosine.diagonal().unsqueeze(1)
    return [int(rank) for rank in (cosine > own).sum(dim=1) + 1]


def contact_sheet(images: list[torch.Tensor], names: list[str]) -> Image.Image:
    """Numbered tiles in rows of six."""
    rows = -(-len(images) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE, rows * (TILE + 16)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for index, (image, name) in enumerate(zip(images, names, strict=True)):
        left, top = index % COLUMNS * TILE, index // COLUMNS * (TILE + 16)
        pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        tile = Image.fromarray(np.ascontiguousarray(pixels)).resize((TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (left, top + 16))
        pen.text((left + 4, top + 1), name, "black", font)
    return sheet


def main() -> None:
    """Draw, judge, paste."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    recipe = yaml.safe_load(arguments.recipe.read_text()) if arguments.recipe else {}
    overrides = {"seed": arguments.seed} | {
        p: yaml.safe_load(v) for p, v in (each.split("=", 1) for each in arguments.set)
    }
    images, times = zip(*(draw(prompt, recipe, overrides) for prompt in PROMPTS), strict=True)
    ranks = judge_ranks(list(images))
    numbers = [str(index + 1) for index in range(len(PROMPTS))]
    contact_sheet(list(images), numbers).save(arguments.out, quality=88)
    labelled = arguments.out.with_name(f"{arguments.out.stem}-labelled{arguments.out.suffix}")
    contact_sheet(list(images), list(PROMPTS)).save(labelled, quality=88)
    figures = {
        "prompts": dict(zip(PROMPTS, ranks, strict=True)),
        "first": sum(rank == 1 for rank in ranks),
        "seconds": round(sum(times) / len(times), 2),
        "set": arguments.set,
    }
    arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps({key: figures[key] for key in ("first", "seconds", "set")}))


if __name__ == "__main__":
    main()
