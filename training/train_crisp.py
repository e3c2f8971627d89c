"""Train the network that `filters: [{type: upscale, model: embedded}]` enlarges with, on what crisp_pairs.py wrote.

Usage: `python training/train_crisp.py --minutes 35`, which resumes from its last checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from crisp_pairs import LARGE, SMALL, CrispPairs, place
from torch import Tensor, nn
from torch.nn import functional
from training_run import TrainingRun, adam, placed_model

from pixforge.builtin.sharpener import Sharpener

RATE = 1.2e-3
BATCH = 8
CROP = 40
FACTOR = LARGE // SMALL
POWER = 0.7
SMALLEST = 0.02
"""Differences below this one hardly count: no eye sees them."""
TESTED = 32


def crops(pairs: CrispPairs, n: int) -> tuple[Tensor, Tensor]:
    """The same parts of small (n, 3, c, c) and large (n, 3, 4c, 4c) pictures in 0..1, turned, mirrored, channels exchanged."""
    small, large = [], []
    for number in torch.randint(len(pairs.small), (n,)).tolist():
        top, left = torch.randint(SMALL - CROP + 1, (2,)).tolist()
        turns, mirror, channels = int(torch.randint(4, ())), bool(torch.rand(()) < 0.5), torch.randperm(3)
        for found, pictures, factor in ((small, pairs.small, 1), (large, pairs.large, FACTOR)):
            rows, columns = (slice(at * factor, (at + CROP) * factor) for at in (top, left))
            part = pictures[number][channels][:, rows, columns].float() / 255
            part = part.rot90(turns, (1, 2))
            found.append(part.flip(2) if mirror else part)
    return torch.stack(small), torch.stack(large)


def distance(made: Tensor, wanted: Tensor) -> Tensor:
    """Differences to a power below one (n,), the mean over all pixels of a picture.

    Where an outline may be here or there, squares ask for the mean, which is blurred, and absolute differences for the median;
    with a smaller power the likeliest of the crisp outlines costs least.
    """
    return ((made - wanted).square() + SMALLEST**2).pow(POWER / 2).flatten(1).mean(1)


def slopes(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the next pixel, across and down."""
    return pictures.diff(dim=3), pictures.diff(dim=2)


def sharpness(pictures: Tensor) -> float:
    """The steepest hundredth of all slopes, on average: how sharp outlines are."""
    steep = torch.cat([each.abs().amax(1).flatten(1) for each in slopes(pictures)], 1)
    return float(steep.topk(steep.shape[1] // 100, dim=1).values.mean())


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--minutes", type=float, default=35)
    parser.add_argument("--start", type=Path, help="exported weights to start from instead of random ones")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--fresh", action="store_true", help="ignore an earlier checkpoint")
    options = parser.parse_args()
    torch.manual_seed(0)
    train, held = (
        CrispPairs.read(options.work, place(options.work, part).name, "crisp_pairs.py")
        for part in ("train", "test")
    )
    model = placed_model(Sharpener().to(memory_format=torch.channels_last), options)
    run = TrainingRun("crisp", model, adam(model, RATE), options)

    def batch() -> Tensor:
        small, large = (each.to(run.device) for each in crops(train, BATCH))
        with torch.autocast(run.device.type, torch.bfloat16):
            made = model(small.contiguous(memory_format=torch.channels_last))
        return distance(made.float(), large)

    def test(sharpener: nn.Module) -> dict[str, Any]:
        """Mean absolute error and sharpness on a style that is never trained on: of the network, plainly, of the drawings."""
        small, large = (each[:TESTED].to(run.device).float() / 255 for each in (held.small, held.large))
        plain = functional.interpolate(small, LARGE, mode="bicubic", align_corners=False).clamp(0, 1)
        made = torch.cat([sharpener(part) for part in small.split(4)]).clamp(0, 1)
        errors = [float((each - large).abs().mean()) for each in (made, plain)]
        sharp = [sharpness(each) for each in (made, plain, large)]
        figures = {"l1": errors, "sharpness": sharp}
        return {name: [round(value, 4) for value in values] for name, values in figures.items()}

    run.train(batch, test)


if __name__ == "__main__":
    main()
