"""Compare pixforge's step with its floor and with the steps of Pixray and VQGAN-CLIP, alternating in one process.

    pip install '.[bench]'
    python benchmarks/peers.py [--rounds 7] [--only NAME ...] [--device auto] [--precision fp32]
        [--peers-precision fp32] [--cpu-seconds] [--json FILE]

The peers' steps are written anew after their public code: a Python loop over the cutouts, each pooled or resized
separately, then a chain of kornia's augmentations, then one loss for each prompt. Generator, perceptor and optimizer
are pixforge's, so the peers also gain from their speed; only the work between picture and perceptor differs. The
peers' steps are measured twice: in pixforge's precision, and "as it is" in their own, which is fp32 on a CPU and is
taken to be that of pixforge on a GPU. open_clip's attention is slow on a CPU; neither OpenAI's package, which the peers
use, nor the perceptor here has that problem. Networks of published architectures have random weights; speed does not
depend on them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from step import random_vit
from torch import nn
from vqgan import write_published

import pixforge
from pixforge.cli.process import keep_freed_memory
from pixforge.engine.bench import Stepper, make_floor, seconds
from pixforge.engine.build import build
from pixforge.engine.session import Session
from pixforge.engine.updates import make_update

CUTOUTS = 32


def pooled(image: torch.Tensor, side: int) -> torch.Tensor:
    """Shrink by (average + maximum) / 2 pooling, as both peers do."""
    return (F.adaptive_avg_pool2d(image, side) + F.adaptive_max_pool2d(image, side)) / 2


class VqganClip:
    """VQGAN-CLIP: crops of size random^power, each pooled to S; affine, perspective, jitter and erasing; noise."""

    def __init__(self, side: int) -> None:
        import kornia.augmentation as kornia

        self.side = side
        self.augment = nn.Sequential(
            kornia.RandomAffine(degrees=15, translate=(0.1, 0.1), p=0.7, padding_mode="border"),
            kornia.RandomPerspective(0.7, p=0.7),
            kornia.ColorJitter(hue=0.1, saturation=0.1, p=0.7),
            kornia.RandomErasing((0.1, 0.4), (0.3, 1 / 0.3), same_on_batch=True, p=0.7),
        )

    def cutouts(self, image: torch.Tensor) -> torch.Tensor:
        """`[K, 3, S, S]` of `[1, 3, H, W]`."""
        height, width = image.shape[2:]
        largest, smallest = min(height, width), min(height, width, self.side)
        made = []
        for _ in range(CUTOUTS):
            size = int(torch.rand([]) * (largest - smallest) + smallest)
            x = int(torch.randint(0, width - size + 1, ()))
            y = int(torch.randint(0, height - size + 1, ()))
            made.append(pooled(image[:, :, y : y + size, x : x + size], self.side))
        batch = self.augment(torch.cat(made))
        noise = batch.new_empty([CUTOUTS, 1, 1, 1]).uniform_(0, 0.1)
        return batch + noise * torch.randn_like(batch)


class Pixray:
    """Pixray: the whole picture pooled to S once for each cutout, 60% zoom and 40% wide augmentations; noise."""

    def __init__(self, side: int) -> None:
        import kornia.augmentation as kornia

        self.side = side
        jitter = {"hue": 0.1, "saturation": 0.1, "p": 0.8}
        self.zoom = nn.Sequential(
            kornia.RandomPerspective(0.4, p=0.7),
            kornia.RandomResizedCrop(
                size=(side, side), scale=(0.25, 0.95), ratio=(0.85, 1.2), cropping_mode="resample", p=1.0
            ),
            kornia.ColorJitter(**jitter),
        )
        self.wide = nn.Sequential(
            kornia.RandomAffine(degrees=0, translate=(0.025, 0.025), scale=(0.95, 0.95), p=1.0),
            kornia.CenterCrop(size=(side, side), cropping_mode="resample", p=1.0),
            kornia.RandomPerspective(0.2, p=0.7),
            kornia.ColorJitter(**jitter),
        )

    def cutouts(self, image: torch.Tensor) -> torch.Tensor:
        """`[K, 3, S, S]` of `[1, 3, H, W]`."""
        whole = torch.cat([pooled(image, self.side) for _ in range(CUTOUTS)])
        zooms = int(0.6 * CUTOUTS)
        batch = torch.cat([self.zoom(whole[:zooms]), self.wide(whole[zooms:])])
        noise = batch.new_empty([CUTOUTS, 1, 1, 1]).uniform_(0, 0.1)
        return batch + noise * torch.randn_like(batch)


def peer_step(session: Session, peer: VqganClip | Pixray) -> Callable[[], None]:
    """A function that makes a peer's step with pixforge's generator, perceptor and optimizer."""
    (group,) = session.groups
    optimizer = make_update(session)
    targets = group.targets(0, session.perception.plan(session.generator.forward(0), 0))[0]

    def step() -> None:
        seen = group.perceptor.encode_image(peer.cutouts(session.generator.forward(0)))
        losses = []
        for target in targets:
            distance = (seen - target).norm(dim=-1).div(2).arcsin().pow(2).mul(2)
            losses.append(distance.mean())
        total = sum(losses[1:], losses[0])
        total.backward()
        [float(each.detach()) for each in losses]  # the peers print the losses, which waits for the device
        optimizer.step(0)
        with torch.no_grad():
            session.generator.constrain()

    return step


PEERS: dict[str, type[VqganClip | Pixray]] = {"VQGAN-CLIP": VqganClip, "Pixray": Pixray}
NAMES = ("embedded VQGAN + embedded", "fourier + embedded", "pixels + ViT-B/32", "VQGAN f16-16384 + ViT-B/32")


def recipe_of(name: str, folder: Path) -> dict[str, Any]:
    """The recipe of a combination; the networks that it needs are written to the folder."""
    base: dict[str, Any] = {
        "prompts": ["a red heart"], "size": [256, 256], "steps": 1000, "seed": 1, "losses": [],
        "cutouts": {"type": "random", "count": CUTOUTS}, "generator": name.split(maxsplit=1)[0],
    }  # fmt: skip
    if name.endswith("ViT-B/32"):
        vit = {"type": "open_clip", "model": "ViT-B-32", "pretrained": str(random_vit(str(folder)))}
        base["perceptors"] = [vit]
    if "VQGAN" in name:
        published = "f16" in name
        base["generator"] = {
            "type": "vqgan",
            "model": str(write_published(folder)) if published else "embedded",
        }
    return base


def cpu_seconds(work: Callable[[], object], device: torch.device) -> float:
    """CPU seconds of one call, for a shared machine; use OMP_NUM_THREADS=1, since waiting threads count as busy."""
    assert device.type == "cpu"
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(
    session: Session, theirs: Session, rounds: int, clock: Callable[..., float]
) -> dict[str, list[float]]:
    """Seconds of each kind of step in every round; `theirs` is a session in the peers' own precision."""
    side, device = session.groups[0].perceptor.input_size, session.context.device
    works: dict[str, Callable[[], None]] = {"ours": Stepper(session), "floor": make_floor(session)}
    for name, peer in PEERS.items():
        works[name] = peer_step(session, peer(side))
        works[f"{name} as it is"] = peer_step(theirs, peer(side))
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(clock(work, device))
    return times


def ratio(times: dict[str, list[float]], above: str, below: str) -> str:
    """The median of the rounds' ratios and their quartiles, as text."""
    each = sorted(a / b for a, b in zip(times[above], times[below], strict=True))
    low, high = each[len(each) // 4], each[-1 - len(each) // 4]
    return f"{statistics.median(each):.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Measure and print a table."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="*", choices=NAMES)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", help="of our step, and of the peers' beside it")
    parser.add_argument(
        "--peers-precision", help="of the peers' steps as they are: fp32 on a CPU, elsewhere that of ours"
    )
    parser.add_argument(
        "--cpu-seconds", action="store_true", help="instead of the clock's; with OMP_NUM_THREADS=1"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    clock = cpu_seconds if options.cpu_seconds else seconds
    columns = [
        ("ours", "floor"),
        *((f"{peer}{own}", "ours") for own in ("", " as it is") for peer in PEERS),
    ]
    print(f"| recipe | ours | {' | '.join(f'{above} / {below}' for above, below in columns)} |")
    print("|---" * (2 + len(columns)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only or NAMES:
            recipe = recipe_of(name, Path(folder))
            recipe["device"] = options.device
            session = build(pixforge.load_recipe({**recipe, "precision": options.precision}))
            own = "fp32" if session.context.device.type == "cpu" else options.precision
            theirs = build(pixforge.load_recipe({**recipe, "precision": options.peers_precision or own}))
            times = figures[name] = measure(session, theirs, options.rounds, clock)
            cells = [
                f"{1000 * statistics.median(times['ours']):.0f} ms", *(ratio(times, *pair) for pair in columns),
            ]  # fmt: skip
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
