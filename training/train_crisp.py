"""Train the network that `filters: [{type: upscale, model: embedded}]` enlarges with, on what crisp_pairs.py wrote.

Usage: `python training/train_crisp.py --minutes 35`, which resumes from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from crisp_pairs import LARGE, SMALL, CrispPairs, place
from torch import Tensor, nn
from torch.nn import functional

from pixforge.builtin.sharpener import Sharpener

RATE = 1.2e-3
BATCH = 8
CROP = 40
FACTOR = LARGE // SMALL
POWER = 0.7
SMALLEST = 0.02
"""Differences below this one hardly count: no eye sees them."""
EMA = 0.998
REPORT_SECONDS = 60
CHECKPOINT_SECONDS = 120
MEASURE_SECONDS = 300


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
    """Differences to a power below one [], the mean over all pixels.

    Where an outline may be here or there, squares ask for the mean, which is blurred, and absolute differences for the median;
    with a smaller power the likeliest of the crisp outlines costs least.
    """
    return ((made - wanted).square() + SMALLEST**2).pow(POWER / 2).mean()


def slopes(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the next pixel, across and down."""
    return pictures.diff(dim=3), pictures.diff(dim=2)


def sharpness(pictures: Tensor) -> float:
    """The steepest hundredth of all slopes, on average: how sharp outlines are."""
    steep = torch.cat([each.abs().amax(1).flatten(1) for each in slopes(pictures)], 1)
    return float(steep.topk(steep.shape[1] // 100, dim=1).values.mean())


class Run:
    """The network, its running mean and its optimizer."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        torch.manual_seed(0)
        self.train_pairs, self.test_pairs = (
            CrispPairs.read(options.work, place(options.work, part).name, "crisp_pairs.py")
            for part in ("train", "test")
        )
        self.model = Sharpener().to(memory_format=torch.channels_last)
        self.ema = torch.optim.swa_utils.AveragedModel(
            self.model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(EMA)
        )
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=0
        )
        self.file, self.log = options.work / "crisp.pt", options.work / "crisp.jsonl"
        self.seconds, self.step, self.views = 0.0, 0, 0
        if self.file.exists() and not options.fresh:
            self.resume()

    def parts(self) -> dict[str, Any]:
        """All that has a state."""
        return {name: getattr(self, name) for name in ("model", "ema", "optimizer")}

    def resume(self) -> None:
        """Continue where the last checkpoint left off."""
        state = torch.load(self.file, weights_only=True)
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.seconds, self.step, self.views = state["seconds"], state["step"], state["views"]

    def save(self) -> None:
        """Write the checkpoint in one move."""
        state = {name: part.state_dict() for name, part in self.parts().items()}
        state |= {"seconds": self.seconds, "step": self.step, "views": self.views}
        partial = self.file.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.file)

    def note(self, **figures: Any) -> None:
        """Print one line of figures and keep it."""
        line = json.dumps({"seconds": round(self.seconds), "views": self.views, **figures})
        print(line, flush=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    @property
    def progress(self) -> float:
        """Share of the planned time that has passed."""
        return self.seconds / (self.options.minutes * 60)

    def train_step(self) -> Tensor:
        """One update; the distance []."""
        small, large = crops(self.train_pairs, BATCH)
        small = small.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            made = self.model(small)
        made = made.float()
        apart = distance(made, large)
        self.optimizer.zero_grad(set_to_none=True)
        apart.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.ema.update_parameters(self.model)
        return apart.detach()

    @torch.no_grad()
    def test(self) -> None:
        """Distance and sharpness on drawings of a style that is never trained on, beside plain enlarging."""
        self.ema.eval()
        large = self.test_pairs.large[:32].float() / 255
        small = self.test_pairs.small[:32].float() / 255
        plain = functional.interpolate(small, LARGE, mode="bicubic", align_corners=False).clamp(0, 1)
        made = torch.cat([self.ema.module(part) for part in small.split(4)]).clamp(0, 1)
        figures = {
            "l1": [(each - large).abs().mean().item() for each in (made, plain)],
            "sharpness": [sharpness(each) for each in (made, plain, large)],
        }
        self.note(**{name: [round(value, 4) for value in values] for name, values in figures.items()})

    def train(self) -> None:
        """Train for the given minutes, earlier parts of a resumed run included."""
        torch.manual_seed(self.step)
        last, reported, saved, measured = time.monotonic(), self.seconds, self.seconds, self.seconds
        total, count, views = 0.0, 0, self.views
        while self.progress < 1:
            falling = max(0.0, self.progress - 0.5) / 0.5
            for group in self.optimizer.param_groups:
                group["lr"] = RATE * min(1.0, (self.step + 1) / 100) * (1 - 0.95 * falling)
            total += float(self.train_step())
            count, self.step, self.views = count + 1, self.step + 1, self.views + BATCH
            now = time.monotonic()
            self.seconds, last = self.seconds + now - last, now
            if self.seconds - reported > REPORT_SECONDS:
                rate = (self.views - views) / (self.seconds - reported)
                self.note(loss=round(total / count, 4), per_second=round(rate, 1))
                total, count, views, reported = 0.0, 0, self.views, self.seconds
            if self.seconds - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = self.seconds
            if self.seconds - measured > MEASURE_SECONDS:
                self.test()
                measured = self.seconds
        self.save()
        self.test()


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--minutes", type=float, default=35)
    parser.add_argument("--fresh", action="store_true", help="ignore an earlier checkpoint")
    Run(parser.parse_args()).train()


if __name__ == "__main__":
    main()
