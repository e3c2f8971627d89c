"""Write the trained network that sharpens in half precision, measure it on a style it never saw, and show it.

Usage: `python training/export_crisp.py --figures training/work/crisp-figures.json --sheet docs/images/sharpener.jpg`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from crisp_pairs import LARGE, CrispPairs, place
from export import halve
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from train_crisp import sharpness

from pixforge.builtin.sharpener import Sharpener

SHOWN = (0, 2, 5, 7, 8, 10, 11, 15)
SIDE = 256


def trained(file: Path) -> Sharpener:
    """The averaged weights of the last checkpoint."""
    state = torch.load(file, map_location="cpu", weights_only=True)
    model = Sharpener()
    model.load_state_dict(
        {
            key.removeprefix("module."): value
            for key, value in state["ema"].items()
            if key.startswith("module.")
        }
    )
    return model.eval()


@torch.no_grad()
def enlarged(model: Sharpener, small: Tensor) -> dict[str, Tensor]:
    """Pictures (n, 3, 128, 128) at 512 pixels: plainly, and by the network."""
    plain = functional.interpolate(small, LARGE, mode="bicubic", align_corners=False)
    made = torch.cat([model(part) for part in small.split(4)])
    return {"bicubic": plain.clamp(0, 1), "embedded": made.clamp(0, 1)}


def figures(found: dict[str, Tensor], wanted: Tensor) -> dict[str, dict[str, float]]:
    """Mean absolute error, decibels, and sharpness as a share of that of the drawings."""
    sharp = sharpness(wanted)
    return {
        name: {
            "l1": round(float((each - wanted).abs().mean()), 4),
            "psnr": round(float(-10 * (each - wanted).square().mean((1, 2, 3)).log10().mean()), 2),
            "sharpness": round(sharpness(each) / sharp, 3),
        }
        for name, each in found.items()
    }


def sheet(rows: list[Tensor], file: Path) -> None:
    """Pictures (n, 3, s, s) in rows, as one file."""
    wide = torch.cat([torch.cat(list(row), 2) for row in rows], 1)
    wide = functional.interpolate(
        wide[None], scale_factor=SIDE / LARGE, mode="area", recompute_scale_factor=False
    )[0]
    pixels = (wide * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(file, quality=88)


def main() -> None:
    """Export, measure, show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--out", type=Path, default=Path("pixforge/models/embedded/sharpener.safetensors"))
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    save_file(halve(trained(options.work / "crisp.pt").state_dict()), options.out)
    model = Sharpener()
    model.load_state_dict({name: each.float() for name, each in load_file(options.out).items()})
    pairs = CrispPairs.read(options.work, place(options.work, "test").name, "crisp_pairs.py")
    small, large = pairs.small.float() / 255, pairs.large.float() / 255
    found = enlarged(model, small)
    text = json.dumps(figures(found, large), indent=1)
    print(text)
    if options.figures:
        options.figures.write_text(text + "\n", encoding="utf-8")
    if options.sheet:
        chosen = list(SHOWN)
        sheet([found["bicubic"][chosen], found["embedded"][chosen], large[chosen]], options.sheet)


if __name__ == "__main__":
    main()
