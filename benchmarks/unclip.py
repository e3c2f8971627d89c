"""Samples of the miniature of DALL-E 2 for the 48 prompts of sheet.py, and how they compare with those of `tokens`.

    python benchmarks/unclip.py OUT.jpg [--candidates 16] [--canvases 4] [--model embedded]

Nothing is optimized. The sheet shows the first canvas. Of every canvas the judge says at which of 1,652 places the
picture's own name is; how different the canvases are is 1 minus the cosine of the judge's embeddings of two of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from pathlib import Path
from typing import Any

import torch
from sheet import FRESH, TUNED, Drawn, Judge, contact_sheet, figures

import pixforge
from pixforge.engine.build import build
from pixforge.engine.prompts import whole

PROMPTS = TUNED | FRESH
COLUMNS = 12


def draw(init: dict[str, Any], canvases: int) -> list[list[Drawn]]:
    """The starts of every prompt, one for each canvas."""
    found = []
    for prompt, name in PROMPTS.items():
        start = time.perf_counter()
        recipe = {"prompts": [prompt], "init": init, "size": 64, "steps": 1, "canvases": canvases, "seed": 1}
        session = build(pixforge.load_recipe({**recipe, "generator": "pixels"}))
        images = session.start().image.cpu()
        seconds = (time.perf_counter() - start) / canvases
        found.append([Drawn(image, prompt, name, seconds) for image in images])
    return found


@torch.no_grad()
def difference(judge: Judge, drawn: list[list[Drawn]]) -> float:
    """The mean over prompts and pairs of canvases."""
    apart = []
    for canvases in drawn:
        images = torch.stack([each.image for each in canvases])
        seen = judge.perceptor.encode_image(whole(images, judge.perceptor.input_size))
        apart += [1 - float(a @ b) for a, b in itertools.combinations(seen, 2)]
    return round(sum(apart) / max(1, len(apart)), 4)


def main() -> None:
    """Draw, judge, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--canvases", type=int, default=4)
    parser.add_argument("--model", default="embedded")
    options = parser.parse_args()
    judge, count = Judge(), {"candidates": options.candidates}
    unclip = {"type": "unclip", "model": options.model, **count}
    settings = {
        "unclip": unclip,
        "without the prior": {**unclip, "prior": False},
        "tokens": {"type": "tokens", **count},
    }
    table = {}
    for name, init in settings.items():
        drawn = draw(init, options.canvases)
        flat = [each for canvases in drawn for each in canvases]
        table[name] = {**figures(flat, judge.places(flat)), "difference": difference(judge, drawn)}
        print(name, json.dumps(table[name]), flush=True)
        file = options.out.with_name(f"{options.out.stem}-{name.replace(' ', '-')}{options.out.suffix}")
        labels = [each[0].prompt for each in drawn]
        contact_sheet([each[0] for each in drawn], labels, COLUMNS).resize((1536, 555)).save(file, quality=88)
    options.out.with_suffix(".json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
