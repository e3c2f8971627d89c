"""The 24 prompts of sheet.py with several generators side by side, and how many pictures the judge ranks first.

python benchmarks/generators.py OUT.jpg [--size 128] [--steps 80] [--seed 1] [--generators vqgan pixels fourier]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from sheet import PROMPTS, draw, judge_ranks

# The recipe of each: what its own description recommends, all else the defaults.
GENERATORS = {
    "vqgan": {"generator": {"type": "vqgan", "ema": 0.9}},
    "pixels": {"generator": {"type": "pixels", "levels": 6}},
    "fourier": {"generator": {"type": "fourier"}},
}
ROW = 3
LABEL = 14


def sheet(found: dict[str, list[torch.Tensor]], size: int) -> Image.Image:
    """Prompts in rows of three, each with the generators from left to right under its name."""
    width, rows = len(found) * size, -(-len(PROMPTS) // ROW)
    made = Image.new("RGB", (ROW * (width + 8), rows * (size + LABEL)), "white")
    pen, font = ImageDraw.Draw(made), ImageFont.load_default(11)
    for index, prompt in enumerate(PROMPTS):
        left, top = index % ROW * (width + 8), index // ROW * (size + LABEL)
        pen.text((left + 2, top), f"{prompt}: {', '.join(found)}", "black", font)
        for column, images in enumerate(found.values()):
            pixels = (images[index].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
            tile = Image.fromarray(np.ascontiguousarray(pixels))
            made.paste(tile, (left + column * size, top + LABEL))
    return made


def main() -> None:
    """Draw, judge, paste."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--generators", nargs="+", choices=GENERATORS, default=list(GENERATORS))
    options = parser.parse_args()
    overrides = {"seed": options.seed, "size": [options.size, options.size], "steps": options.steps}
    found, figures = {}, {}
    for name in options.generators:
        images, seconds = zip(*(draw(prompt, GENERATORS[name], overrides) for prompt in PROMPTS), strict=True)
        found[name] = list(images)
        first = sum(rank == 1 for rank in judge_ranks(list(images)))
        figures[name] = {"first": first, "seconds": round(sum(seconds) / len(seconds), 2)}
        print(name, json.dumps(figures[name]), flush=True)
    sheet(found, options.size).save(options.out, quality=88)
    options.out.with_suffix(".json").write_text(
        json.dumps({**overrides, "generators": figures}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
