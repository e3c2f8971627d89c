"""Train a vision tower as a cosine classifier over all names, with a second head for the background's color.

Usage: `python training/train_vision.py perceptor --minutes 45`
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from compose import ALONE, BACKGROUNDS, COLORS, NO_COLOR, Art, Batch, Composer, load_art, on_white, stream
from data import STYLES
from export import load_exported
from icon_names import ALL_STYLES
from mixed import Mixture, scene_composer
from model import PLANS, Plan, normalize, open_clip_model
from styles import PLAIN
from torch import Tensor, nn
from torch.nn import functional

BATCH = 128
LABEL_SMOOTHING = 0.05
COLOR_LOSS = 0.15
SIDE_LOSS = 0.3
KEEP_LOSS = 3.0
STYLE_LOSS = 0.3
COUNT_LOSS = 0.2
MOST = 4  # things of a kind in a scene
# Nearer to its name's mean than this cosine, an earlier tower knows what it sees.
RIGHT_COSINE = 0.5
# Where one of two drawings can be.
LEFT, RIGHT, TOP, BOTTOM = range(4)
WEIGHT_DECAY = 5e-4
HEAD_RATE = 2e-3
WARM_UP = 0.05
EMA = 0.997
CHECKPOINT_SECONDS = 120
REPORT_SECONDS = 60
MEASURE_SECONDS = 240


@dataclass(frozen=True)
class Losses:
    """What is wrong [] with the names, with backgrounds, colors of things, who is on which side, and the style."""

    name: Tensor
    color: Tensor
    tint: Tensor
    side: Tensor
    style: Tensor
    count: Tensor

    def total(self) -> Tensor:
        """What is minimized []."""
        shades = COLOR_LOSS * (self.color + self.tint)
        return self.name + shades + SIDE_LOSS * self.side + STYLE_LOSS * self.style + COUNT_LOSS * self.count

    def parts(self) -> Tensor:
        """All of them [6]."""
        return torch.stack([getattr(self, f.name) for f in fields(self)])


class Teacher:
    """An earlier vision tower, near whose embeddings a later one stays, so that what was trained on them goes on working.

    It is asked only where it is right: where its embedding of a picture is near its mean of that name's drawings.
    """

    def __init__(self, tower: nn.Module, prototypes: Tensor) -> None:
        self.tower, self.prototypes = tower.eval().requires_grad_(requires_grad=False), prototypes

    @torch.no_grad()
    def __call__(self, pictures: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Unit embeddings (m, width) and which rows (m,) of the pictures they are of: none in a style or before a place."""
        labels, known = batch.labels, batch.labels < len(self.prototypes)
        as_before = (batch.styles == PLAIN) & (batch.colors < len(COLORS))
        rows = (known & as_before).nonzero().squeeze(1)
        with torch.autocast(pictures.device.type, torch.bfloat16):
            found = functional.normalize(self.tower(pictures[rows]).float(), dim=-1)
        right = (found * self.prototypes[labels[rows]]).sum(1) > RIGHT_COSINE
        return found[right], rows[right]


def sides_of(stacked: Tensor) -> Tensor:
    """On which sides the first and the second of two drawings are (n, 2)."""
    first = torch.where(stacked, TOP, LEFT)
    return torch.stack((first, first + 1), 1)


def side_loss(
    embedding: Tensor, sides: Tensor, prototypes: Tensor, scale: Tensor | float, scene: Batch
) -> Tensor:
    """Cross-entropy of what is on each side, read by `sides` (4, width, width) out of unit embeddings (n, width)."""
    asked = sides_of(scene.stacked)
    found = functional.normalize(torch.einsum("nw,nkwv->nkv", embedding, sides[asked]), dim=-1)
    answers = torch.stack((scene.labels, scene.others), 1)
    return functional.cross_entropy((scale * found @ prototypes.T).flatten(0, 1), answers.flatten())


class Classifier(nn.Module):
    """Unit picture embeddings against learnt unit prototypes of the names and of the background colors."""

    def __init__(self, tower: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.tower = tower
        self.prototypes = nn.Parameter(torch.randn(classes, width) * width**-0.5)
        self.colors = nn.Parameter(torch.randn(len(BACKGROUNDS), width) * width**-0.5)
        self.tints = nn.Parameter(torch.randn(len(COLORS), width) * width**-0.5)
        self.styles = nn.Parameter(torch.randn(PLAIN + 1, width) * width**-0.5)
        self.counts = nn.Parameter(torch.randn(MOST, width) * width**-0.5)
        self.sides = nn.Parameter(torch.eye(width) + torch.randn(4, width, width) * 0.3 * width**-0.5)
        self.log_scale = nn.Parameter(torch.tensor(math.log(16.0)))
        self.log_color_scale = nn.Parameter(torch.tensor(math.log(10.0)))

    def forward(self, pictures: Tensor) -> Tensor:
        """Unit embeddings (n, width) of normalized pictures."""
        return functional.normalize(self.tower(pictures).float(), dim=-1)

    def loss(self, embedding: Tensor, batch: Batch) -> Losses:
        """Cross-entropy over the names, over colors where there is a named one, and over the sides of two."""
        prototypes, scale = functional.normalize(self.prototypes, dim=-1), self.log_scale.exp()
        logits = scale * embedding @ prototypes.T
        names = functional.cross_entropy(
            logits, batch.labels, label_smoothing=LABEL_SMOOTHING, reduction="none"
        )
        two = batch.two
        second = functional.cross_entropy(
            logits, batch.others, label_smoothing=LABEL_SMOOTHING, ignore_index=ALONE, reduction="none"
        )
        color, tint, style, count = (
            self.direction_loss(embedding, directions, numbers)
            for directions, numbers in (
                (self.colors, batch.colors),
                (self.tints, batch.tints),
                (self.styles, batch.styles),
                (self.counts, batch.counts - 1),
            )
        )
        side = embedding.new_zeros(())
        sided = batch.sided
        if sided.any():
            side = side_loss(embedding[sided], self.sides, prototypes, scale, batch.only(sided))
        return Losses(torch.where(two, (names + second) / 2, names).mean(), color, tint, side, style, count)

    def direction_loss(self, embedding: Tensor, directions: Tensor, numbers: Tensor) -> Tensor:
        """Cross-entropy [] over the directions (k, width), where there is a number."""
        shades = self.log_color_scale.exp() * embedding @ functional.normalize(directions, dim=-1).T
        return functional.cross_entropy(shades, numbers, ignore_index=NO_COLOR).nan_to_num()


def new_classifier(plan: Plan, classes: int) -> Classifier:
    """A fresh classifier around the vision tower of open_clip's CLIP."""
    torch.manual_seed(plan.seed)
    clip: Any = open_clip_model(plan.model_cfg)
    return Classifier(clip.visual, plan.model_cfg["embed_dim"], classes)


def new_optimizers(model: Classifier, rate: float) -> list[torch.optim.Optimizer]:
    """SGD with Nesterov momentum for the tower; Adam for the prototypes, whose gradients are rare and small."""
    head = [
        model.prototypes,
        model.colors,
        model.tints,
        model.styles,
        model.counts,
        model.sides,
        model.log_scale,
        model.log_color_scale,
    ]
    return [
        torch.optim.SGD(
            model.tower.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=WEIGHT_DECAY
        ),
        torch.optim.AdamW(head, lr=HEAD_RATE, weight_decay=0.0),
    ]


def schedule(progress: float) -> float:
    """One cycle: linear warm-up, then half a cosine, as a factor of the peak rate."""
    if progress < WARM_UP:
        return progress / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - WARM_UP) / (1 - WARM_UP)))) + 1e-3


def style_mask(art: Art, names: Iterable[str]) -> Tensor:
    """Which pictures belong to the named styles."""
    numbers = torch.tensor([ALL_STYLES.index(n) for n in names])
    return torch.isin(art.styles, numbers)


def shades(device: torch.device) -> list[Tensor]:
    """The named colors, each (3, 1, 1) in 0..1."""
    return [torch.tensor(each, device=device).view(3, 1, 1) / 255 for each in COLORS.values()]


@torch.no_grad()
def embed(
    tower: nn.Module, pictures: Tensor, size: int, device: torch.device, fill: Tensor | float = 1.0
) -> Tensor:
    """Unit embeddings of clean pictures."""
    found = []
    for part in pictures.split(256):
        with torch.autocast(device.type, torch.bfloat16):
            found.append(tower(normalize(on_white(part.to(device), size, fill))).float())
    return functional.normalize(torch.cat(found), dim=-1)


@torch.no_grad()
def accuracy(model: Classifier, art: Art, size: int) -> tuple[float, float]:
    """Top-1 and top-5 on clean pictures."""
    device = model.prototypes.device
    embedding = embed(model.tower, art.clean, size, device)
    best = (embedding @ functional.normalize(model.prototypes, dim=-1).T).topk(5).indices
    hits = best == art.labels.to(device)[:, None]
    return hits[:, 0].float().mean().item(), hits.any(1).float().mean().item()


def new_teacher(folder: Path, name: str, art: Art, plan: Plan, device: torch.device) -> Teacher:
    """The exported vision tower in a folder, with its mean embeddings of the emoji that it was trained on."""
    tower = load_exported(folder, name).visual.to(device, memory_format=torch.channels_last)
    known = torch.isin(art.styles, torch.arange(len(STYLES))) & ~style_mask(art, plan.left_out)
    emoji = art.only(known)
    labels = emoji.labels.to(device)
    means = torch.zeros(int(labels.max()) + 1, plan.model_cfg["embed_dim"], device=device)
    means.index_add_(0, labels, embed(tower.eval(), emoji.pictures, plan.size, device))
    return Teacher(tower, functional.normalize(means, dim=-1))


class Run:
    """One resumable training run and its files."""

    def __init__(self, name: str, options: argparse.Namespace) -> None:
        self.plan_name, self.plan, self.options = name, PLANS[name], options
        self.device = torch.device(options.device)
        art = load_art(options.data, options.icons)
        self.teacher = (
            new_teacher(options.keep_near, name, art, self.plan, self.device) if options.keep_near else None
        )
        left_out = style_mask(art, self.plan.left_out)
        self.train_art = art.only(~left_out)
        self.tests = {f"seen:{each}": art.only(style_mask(art, [each])) for each in self.seen_styles(art)}
        known = torch.bincount(self.train_art.labels, minlength=len(art.words)) > 0
        for each in self.plan.left_out:
            # A name that only this style draws cannot be known.
            test = art.only(style_mask(art, [each]) & known[art.labels])
            if len(test.labels):
                self.tests[f"held:{each}"] = test
        self.model = new_classifier(self.plan, len(art.words)).to(
            self.device, memory_format=torch.channels_last
        )
        average = torch.optim.swa_utils.get_ema_multi_avg_fn(EMA)
        self.ema = torch.optim.swa_utils.AveragedModel(self.model, multi_avg_fn=average, use_buffers=True)
        self.optimizers = new_optimizers(self.model, self.plan.learning_rate)
        self.peaks = [o.param_groups[0]["lr"] for o in self.optimizers]
        self.file = Path(options.work) / f"{name}-vision.pt"
        self.log = Path(options.work) / f"{name}-vision.jsonl"
        self.seconds, self.step = 0.0, 0
        if self.file.exists() and not options.fresh:
            self.resume()
        elif options.start:
            self.go_on_from(options.start)
        elif options.weights:
            self.start_from(options.weights)

    def seen_styles(self, art: Art) -> list[str]:
        """A style of emoji and one of icons, if there are any, that are trained on."""
        there = {ALL_STYLES[number] for number in art.styles.unique().tolist()} - set(self.plan.left_out)
        first = next(s for s in ("noto", "fluent-emoji") if s in there)
        return [first, *(s for s in ("game-icons", "mdi") if s in there)]

    @torch.no_grad()
    def start_from(self, folder: Path) -> None:
        """Take over the vision tower of an exported CLIP; a prototype is the mean of its clean training pictures.

        A color is what its background adds to them.
        """
        tower = load_exported(folder, self.plan_name).visual
        self.model.tower.load_state_dict(tower.state_dict())
        self.model.eval()
        seen = embed(self.model.tower, self.train_art.clean, self.plan.size, self.device)
        labels = self.train_art.labels.to(self.device)
        self.model.prototypes.zero_().index_add_(0, labels, seen)
        self.model.prototypes.copy_(functional.normalize(self.model.prototypes, dim=-1))
        some = self.train_art.only(~self.train_art.inked).pictures[::20]
        grounds = [embed(self.model.tower, some, self.plan.size, self.device, c) for c in shades(self.device)]
        means = torch.stack([ground.mean(0) for ground in grounds])
        self.model.colors[: len(COLORS)] = functional.normalize(means - means.mean(0), dim=-1)
        self.ema.module.load_state_dict(self.model.state_dict())

    @torch.no_grad()
    def go_on_from(self, checkpoint: Path) -> None:
        """Take over the averaged weights of another training, which may know fewer backgrounds and no styles."""
        state = torch.load(checkpoint, map_location=self.device, weights_only=True)["ema"]
        own = self.model.state_dict()
        for name, value in state.items():
            if (key := name.removeprefix("module.")) in own:
                kept = own[key][: len(value)] if value.ndim else own[key]
                kept.copy_(value)
        self.ema.module.load_state_dict(self.model.state_dict())

    def resume(self) -> None:
        """Continue where the last checkpoint left off."""
        state = torch.load(self.file, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.seconds, self.step = state["seconds"], state["step"]

    def save(self) -> None:
        """Write the checkpoint in one move."""
        state = {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizers": [o.state_dict() for o in self.optimizers],
            "seconds": self.seconds,
            "step": self.step,
        }
        partial = self.file.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.file)

    def note(self, **figures: float | str) -> None:
        """Print one line of figures and keep it."""
        line = json.dumps(
            {"seconds": round(self.seconds), "views": self.step * self.options.batch, **figures}
        )
        print(line, flush=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def measure(self) -> None:
        """Clean accuracy of the averaged weights."""
        self.ema.eval()
        for name, art in self.tests.items():
            top1, top5 = accuracy(self.ema.module, art, self.plan.size)
            self.note(test=name, top1=round(top1, 4), top5=round(top5, 4))

    def adversarial(self, pictures: Tensor, batch: Batch) -> Tensor:
        """One L2 step uphill per picture, random length: a network that resists it has gradients that draw."""
        pictures = pictures.detach().requires_grad_()
        with torch.autocast(self.device.type, torch.bfloat16):
            embedding = self.model(pictures)
        (gradient,) = torch.autograd.grad(self.model.loss(embedding, batch).total(), pictures)
        length = gradient.flatten(1).norm(dim=1).clamp(min=1e-8)
        reach = self.options.adversarial * torch.rand(len(pictures), device=self.device)
        # The length is meant in 0..1 pictures; normalizing divided by .25.
        moved = pictures + gradient * (4 * reach / length)[:, None, None, None]
        return moved.detach().contiguous(memory_format=torch.channels_last)

    def train_step(self, batch: Batch) -> Tensor:
        """One update; the losses' parts, and the training accuracy: [7]."""
        batch = batch.to(self.device)
        pictures = normalize(batch.pictures)
        kept = self.teacher(pictures, batch) if self.teacher else None
        self.model.train()
        if self.options.adversarial:
            pictures = self.adversarial(pictures, batch)
        with torch.autocast(self.device.type, torch.bfloat16):
            embedding = self.model(pictures)
        losses = self.model.loss(embedding, batch)
        total = losses.total()
        if kept and len(kept[1]):
            total = total + KEEP_LOSS * (1 - (kept[0] * embedding[kept[1]]).sum(1).mean())
        self.model.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 3.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.ema.update_parameters(self.model)
        with torch.no_grad():
            guess = (embedding @ functional.normalize(self.model.prototypes, dim=-1).T).argmax(1)
            right = ((guess == batch.labels) | (guess == batch.others)).float().mean()
            return torch.cat((losses.parts(), right[None]))

    def train(self) -> None:
        """Train for the given minutes of wall time, earlier parts of a resumed run included."""
        budget = self.options.minutes * 60
        options = self.options
        composer = Composer(
            self.train_art,
            self.plan.size,
            self.device,
            pairs=options.pairs,
            tints=options.tints,
            styled=options.styled,
            places=options.places,
        )
        compose: Callable[[int], Batch] = composer
        if options.scenes:
            scenes = scene_composer(self.train_art, self.plan.size, self.device, degraded=True)
            compose = Mixture(composer, scenes, options.scenes)
        batches = stream(compose, options.batch, self.plan.seed + self.step, self.device)
        last, reported, saved, measured = time.monotonic(), self.seconds, self.seconds, self.seconds
        sums, count = torch.zeros(7, device=self.device), 0
        while self.seconds < budget:
            factor = self.options.rate * schedule(self.seconds / budget)
            for optimizer, peak in zip(self.optimizers, self.peaks, strict=True):
                optimizer.param_groups[0]["lr"] = peak * factor
            sums += self.train_step(next(batches))
            count, self.step = count + 1, self.step + 1
            now = time.monotonic()
            self.seconds, last = self.seconds + now - last, now
            if self.seconds - reported > REPORT_SECONDS:
                loss, color, tint, side, style, number, top1 = (sums / count).tolist()
                self.note(
                    loss=round(loss, 3),
                    color=round(color, 3),
                    tint=round(tint, 3),
                    side=round(side, 3),
                    style=round(style, 3),
                    number=round(number, 3),
                    top1=round(top1, 3),
                    per_second=round(count * options.batch / (self.seconds - reported)),
                )
                sums, count, reported = torch.zeros_like(sums), 0, self.seconds
            if self.seconds - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = self.seconds
            if self.seconds - measured > MEASURE_SECONDS:
                self.measure()
                measured = self.seconds
        self.save()
        self.measure()


def main() -> None:
    """Train one of the plans."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=PLANS)
    parser.add_argument("--data", type=Path, default=Path("training/work/data.npz"))
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--rate", type=float, default=1.0, help="factor of the plan's learning rate")
    parser.add_argument("--batch", type=int, default=BATCH, help="pictures in a step")
    parser.add_argument(
        "--adversarial", type=float, default=0.0, help="longest L2 step, in units of 0..1 pixels"
    )
    parser.add_argument(
        "--pairs", type=float, default=0.0, help="share of the pictures that show two drawings"
    )
    parser.add_argument("--tints", type=float, default=0.0, help="share of things in colors not their own")
    parser.add_argument("--icons", type=Path, help="the archive of icons.py: more names")
    parser.add_argument(
        "--keep-near", type=Path, help="stay near the embeddings of the exported tower in this folder"
    )
    parser.add_argument(
        "--styled", type=float, default=0.0, help="share of the pictures in a style of styles.py"
    )
    parser.add_argument(
        "--places", type=float, default=0.0, help="share of the backgrounds that show a place"
    )
    parser.add_argument("--scenes", type=float, default=0.0, help="share of the pictures that are scenes")
    parser.add_argument("--start", type=Path, help="start from another training's checkpoint")
    parser.add_argument("--weights", type=Path, help="start from the exported weights in this folder")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--fresh", action="store_true", help="ignore an earlier checkpoint")
    options = parser.parse_args()
    Run(options.name, options).train()


if __name__ == "__main__":
    main()
