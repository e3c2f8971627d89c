"""Train the embedded VQGAN: taming's encoder and decoder at their smallest width, on parts and wholes of the open art.

Usage: `python training/train_vqgan.py --minutes 60`, which resumes from its last checkpoint.

The order of things, as shares of the time: first a plain autoencoder; then a codebook, started by k-means and moved by
running means, unused codes restarted (van den Oord et al. 2017; Razavi et al. 2019); last a patch discriminator with
the weight of Esser et al. 2020.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from compose import Art, Composer, load_art, on_white, uniform, warp
from data import STYLES
from export import load_exported
from model import VQGAN_PLAN, normalize
from taming.modules.discriminator.model import NLayerDiscriminator, weights_init
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from pixforge.builtin.generators.vqgan.network import VQGAN
from pixforge.builtin.generators.vqgan.quantize import nearest, straight_through

RATE = 5e-4
BETAS = (0.9, 0.99)
EMA = 0.998
CODES_FROM = 0.12
COMMITMENT = 0.25
PERCEPTUAL = 0.15
# Its gradient is strong and fine-grained: colors and shapes come first.
PERCEPTUAL_FROM, PERCEPTUAL_FULL = 0.25, 0.5
EDGES = 0.5
ADVERSARIAL = 0.4
CODE_DECAY = 0.99
RESTART_EVERY = 100
# Sides of the crops, how many at once, and how often: parts are cheap, wholes teach the attention its distances.
CROPS = ((64, 8, 0.85), (128, 3, 0.15))
CHECKPOINT_SECONDS = 120
REPORT_SECONDS = 60
MEASURE_SECONDS = 300


class Parts(Composer):
    """Composes pictures from far away to so near that only a part is seen; neither noise nor blur."""

    def __init__(self, art: Art, device: torch.device) -> None:
        super().__init__(art, 64, device, plain=0.7)
        self.levels = [self.pictures]
        for _ in range(2):
            halved = functional.avg_pool2d(self.levels[-1].float(), 2)
            self.levels.append(halved.round().to(torch.uint8))

    def draw(self, n: int, size: int) -> Tensor:
        """Pictures (n, 3, size, size) in 0..1."""
        self.size = size
        chosen = torch.multinomial(self.weights, n, replacement=True)
        # The drawing's side in canvas sides; a large canvas shows more of it.
        low, high = (0.5, 4.0) if size < 100 else (0.5, 2.2)
        scale = torch.exp(uniform(n, math.log(low), math.log(high), self.device))
        canvas = torch.zeros(n, 4, size, size, device=self.device)
        matrix = self.places(n, scale)
        level = (self.pictures.shape[-1] / (scale * size)).log2().round().clamp(0, 2).long()
        for number, source in enumerate(self.levels):
            where = (level == number).nonzero().squeeze(1)
            canvas[where] = warp(source[chosen[where]].float() / 255, matrix[where], size)
        alpha = canvas[:, 3:]
        picture = self.recolor(canvas[:, :3], alpha) + self.background(n)[0] * (1 - alpha)
        return picture.clamp(0, 1)

    def places(self, n: int, scale: Tensor) -> Tensor:
        """Turned a little, sometimes mirrored, and moved so that most of the canvas lies on the drawing."""
        angle = torch.randn(n, device=self.device) * 0.15
        mirror = torch.where(torch.rand(n, device=self.device) < 0.5, 1.0, -1.0)
        shift = uniform(2 * n, -1, 1, self.device).view(n, 2) * (0.2 + (scale - 1).clamp(min=0))[:, None]
        cos, sin = torch.cos(angle), torch.sin(angle)
        matrix = torch.zeros(n, 3, 3, device=self.device)
        matrix[:, 0, 0], matrix[:, 0, 1] = cos * mirror / scale, sin * mirror / scale
        matrix[:, 1, 0], matrix[:, 1, 1] = -sin / scale, cos / scale
        matrix[:, :2, 2] = -(matrix[:, :2, :2] @ shift[:, :, None]).squeeze(2)
        matrix[:, 2, 2] = 1
        return matrix


class Crops(IterableDataset[Tensor]):
    """Batches without end, each of one size."""

    def __init__(self, parts: Parts, seed: int) -> None:
        self.parts, self.seed = parts, seed

    def __iter__(self) -> Iterator[Tensor]:
        torch.manual_seed(self.seed)
        torch.set_num_threads(1)
        odds = torch.tensor([share for *_, share in CROPS])
        while True:
            side, count, _ = CROPS[int(torch.multinomial(odds, 1))]
            yield (self.parts.draw(count, side) * 255).round().to(torch.uint8)


class Features(nn.Module):
    """The embedded perceptor's early features, each place a unit vector, as LPIPS compares them (Zhang et al. 2018)."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.trunk: Any = load_exported(folder, "perceptor").visual.trunk.requires_grad_(requires_grad=False)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Pictures (n, 3, s, s) in 0..1 to three maps."""
        trunk = self.trunk
        stem = trunk.act1(trunk.bn1(trunk.conv1(normalize(pictures))))
        first = trunk.layer1(trunk.maxpool(stem))
        return [functional.normalize(each.float(), dim=1) for each in (stem, first, trunk.layer2(first))]

    def distance(self, pictures: Tensor, target: Tensor) -> Tensor:
        """Mean squared difference, summed over channels and maps."""
        with torch.no_grad():
            wanted = self(target)
        return sum(
            ((a - b).square().sum(1).mean() for a, b in zip(self(pictures), wanted, strict=True)),
            start=pictures.new_zeros(()),
        )


class Codebook:
    """Codes as running means of what the encoder says."""

    def __init__(self, model: VQGAN) -> None:
        self.weight = model.quantize.codebook
        self.weight.requires_grad_(requires_grad=False)
        self.counts = torch.ones(len(self.weight), device=self.weight.device)
        self.sums = self.weight.detach().clone()
        self.started = False

    @torch.no_grad()
    def start(self, points: Tensor) -> None:
        """k-means over points (m, d), ten rounds."""
        centers = points[torch.randperm(len(points))[: len(self.weight)]]
        for _ in range(10):
            owner = nearest(points[:, :, None, None], centers).flatten()
            counts = torch.bincount(owner, minlength=len(centers))
            sums = torch.zeros_like(centers).index_add_(0, owner, points)
            empty = counts == 0
            centers = sums / counts.clamp(min=1)[:, None]
            centers[empty] = points[torch.randint(len(points), (int(empty.sum()),))]
        self.weight.copy_(centers)
        self.counts.fill_(1.0)
        self.sums = centers.clone()
        self.started = True

    @torch.no_grad()
    def update(self, z: Tensor, codes: Tensor, step: int) -> None:
        """Move the codes towards what chose them; those that nothing chose start again at a random point."""
        points = z.detach().float().permute(0, 2, 3, 1).flatten(0, 2)
        owner = codes.flatten()
        self.counts.mul_(CODE_DECAY).add_(
            torch.bincount(owner, minlength=len(self.counts)), alpha=1 - CODE_DECAY
        )
        self.sums.mul_(CODE_DECAY).index_add_(0, owner, points, alpha=1 - CODE_DECAY)
        if step % RESTART_EVERY == 0:
            dead = (self.counts < 0.03).nonzero().squeeze(1)[: len(points) // 4]
            self.sums[dead] = points[torch.randperm(len(points))[: len(dead)]]
            self.counts[dead] = 1.0
        self.weight.copy_(self.sums / self.counts.clamp(min=1e-5)[:, None])

    def state(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"counts": self.counts, "sums": self.sums, "started": self.started}

    def load(self, state: dict[str, Any]) -> None:
        """From the checkpoint."""
        self.counts, self.sums, self.started = state["counts"], state["sums"], state["started"]


def new_model() -> VQGAN:
    """The plan's network with fresh weights."""
    torch.manual_seed(VQGAN_PLAN.seed)
    return VQGAN(VQGAN_PLAN.ddconfig, VQGAN_PLAN.count, VQGAN_PLAN.width)


def edges(difference: Tensor) -> Tensor:
    """Mean absolute difference of neighboring errors: blurred edges cost more than flat errors."""
    right = (difference[..., 1:] - difference[..., :-1]).abs().mean()
    return right + (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean()


@torch.no_grad()
def reconstruct(model: VQGAN, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (n, 3, s, s) in 0..1 through the codes and back, and the codes."""
    z = model.encode(pictures * 2 - 1)
    codes = model.quantize.codes(z)
    return (model.decode(model.quantize.entries(codes)) / 2 + 0.5).clamp(0, 1), codes


@torch.no_grad()
def measure(model: VQGAN, pictures: Tensor, size: int) -> dict[str, float]:
    """L1, PSNR in dB, and how many codes are used, over clean pictures."""
    model.eval()
    total, squared, used = 0.0, 0.0, set()
    for part in pictures.split(16):
        clean = on_white(part, size)
        made, codes = reconstruct(model, clean)
        total += (made - clean).abs().mean((1, 2, 3)).sum().item()
        squared += -10 * (made - clean).square().mean((1, 2, 3)).clamp(min=1e-8).log10().sum().item()
        used |= set(codes.flatten().tolist())
    return {
        "l1": round(total / len(pictures), 4),
        "psnr": round(squared / len(pictures), 2),
        "used": len(used),
    }


class Run:
    """One resumable training run and its files."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.device = torch.device(options.device)
        art = load_art(options.data)
        held = art.styles == STYLES.index("twemoji")
        self.test = art.pictures[held][::26].to(self.device)
        self.parts = Parts(art.only(~held), self.device)
        self.model = new_model().to(self.device)
        self.codebook = Codebook(self.model)
        average = torch.optim.swa_utils.get_ema_multi_avg_fn(EMA)
        self.ema = torch.optim.swa_utils.AveragedModel(self.model, multi_avg_fn=average, use_buffers=True)
        self.critic = NLayerDiscriminator(input_nc=3, ndf=32, n_layers=2).apply(weights_init).to(self.device)
        self.features = Features(options.weights).to(self.device)
        learnt = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(learnt, lr=RATE, betas=BETAS, weight_decay=1e-4)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=RATE / 2, betas=(0.5, 0.9))
        self.file = Path(options.work) / "vqgan.pt"
        self.log = Path(options.work) / "vqgan.jsonl"
        self.seconds, self.step, self.views = 0.0, 0, 0
        if self.file.exists() and not options.fresh:
            self.resume()

    def resume(self) -> None:
        """Continue where the last checkpoint left off."""
        state = torch.load(self.file, map_location=self.device, weights_only=True)
        for name in ("model", "ema", "critic", "optimizer", "critic_optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.codebook.load(state["codebook"])
        self.seconds, self.step, self.views = state["seconds"], state["step"], state["views"]

    def save(self) -> None:
        """Write the checkpoint in one move."""
        parts = ("model", "ema", "critic", "optimizer", "critic_optimizer")
        state: dict[str, Any] = {name: getattr(self, name).state_dict() for name in parts}
        state |= {
            "codebook": self.codebook.state(),
            "seconds": self.seconds,
            "step": self.step,
            "views": self.views,
        }
        partial = self.file.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.file)

    def note(self, **figures: float | str) -> None:
        """Print one line of figures and keep it."""
        line = json.dumps({"seconds": round(self.seconds), "views": self.views, **figures})
        print(line, flush=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def batches(self) -> Iterator[Tensor]:
        """From a worker process on a CPU, or made in place on an accelerator."""
        crops = Crops(self.parts, VQGAN_PLAN.seed + self.step)
        if self.device.type != "cpu":
            return iter(crops)
        return iter(DataLoader(crops, batch_size=None, num_workers=1, prefetch_factor=4))

    @property
    def progress(self) -> float:
        """Share of the planned time that has passed."""
        return self.seconds / (self.options.minutes * 60)

    def train_step(self, pictures: Tensor) -> dict[str, float]:
        """One update; its terms."""
        with torch.autocast(self.device.type, torch.bfloat16):
            z = self.model.encode(pictures * 2 - 1)
        z = z.float()
        commitment = z.new_zeros(())
        if self.codebook.started:
            codes = self.model.quantize.codes(z)
            entries = self.model.quantize.entries(codes)
            commitment = functional.mse_loss(z, entries)
            self.codebook.update(z, codes, self.step)
            z = straight_through(z, entries)
        with torch.autocast(self.device.type, torch.bfloat16):
            made = self.model.decode(z)
        made = made.float() / 2 + 0.5
        difference = made - pictures
        plain = difference.abs().mean() + EDGES * edges(difference)
        share = (self.progress - PERCEPTUAL_FROM) / (PERCEPTUAL_FULL - PERCEPTUAL_FROM)
        perceived = made.new_zeros(())
        if share > 0:
            with torch.autocast(self.device.type, torch.bfloat16):
                perceived = self.features.distance(made, pictures)
        loss = plain + PERCEPTUAL * min(1.0, share) * perceived
        terms = {"l1": difference.abs().mean().item(), "perceived": perceived.item()}
        if self.progress > self.options.discriminator_from:
            fooled = -self.critic(made * 2 - 1).mean()
            weight = self.balance(loss, fooled)
            terms["fooled"] = fooled.item()
            loss = loss + ADVERSARIAL * weight * fooled
        self.optimizer.zero_grad(set_to_none=True)
        (loss + COMMITMENT * commitment).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.ema.update_parameters(self.model)
        if self.progress > self.options.discriminator_from:
            terms["critic"] = self.train_critic(pictures, made.detach())
        return terms | {"commitment": commitment.item()}

    def balance(self, loss: Tensor, fooled: Tensor) -> Tensor:
        """How much stronger the gradient of the other terms is at the last layer."""
        last = self.model.decoder.conv_out.weight
        (first,) = torch.autograd.grad(loss, last, retain_graph=True)
        (second,) = torch.autograd.grad(fooled, last, retain_graph=True)
        return (first.norm() / (second.norm() + 1e-4)).clamp(0, 1e4).detach()

    def train_critic(self, real: Tensor, made: Tensor) -> float:
        """One update with the hinge loss."""
        with torch.autocast(self.device.type, torch.bfloat16):
            scores = self.critic(torch.cat([real, made]) * 2 - 1).float()
        good, bad = scores.chunk(2)
        loss = 0.5 * (functional.relu(1 - good).mean() + functional.relu(1 + bad).mean())
        self.critic_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.critic_optimizer.step()
        return float(loss.item())

    @torch.no_grad()
    def start_codes(self, batches: Iterator[Tensor]) -> None:
        """k-means over what the encoder says of fresh batches."""
        points = []
        for batch in itertools.islice(batches, 60):
            z = self.model.encode(batch.to(self.device).float() / 127.5 - 1)
            points.append(z.permute(0, 2, 3, 1).flatten(0, 2))
        self.codebook.start(torch.cat(points))

    def train(self) -> None:
        """Train for the given minutes, earlier parts of a resumed run included."""
        batches = self.batches()
        last, reported, saved, measured = time.monotonic(), self.seconds, self.seconds, self.seconds
        sums: dict[str, float] = {}
        count, views = 0, self.views
        while self.progress < 1:
            if self.progress > CODES_FROM and not self.codebook.started:
                self.start_codes(batches)
            for group in self.optimizer.param_groups:
                warm = min(1.0, self.step / 50)
                group["lr"] = RATE * warm * (0.5 + 0.5 * math.cos(math.pi * self.progress) * 0.96)
            batch = next(batches).to(self.device).float() / 255
            for name, value in self.train_step(batch).items():
                sums[name] = sums.get(name, 0.0) + value
            count, self.step, self.views = count + 1, self.step + 1, self.views + len(batch)
            now = time.monotonic()
            self.seconds, last = self.seconds + now - last, now
            if self.seconds - reported > REPORT_SECONDS:
                rate = (self.views - views) / (self.seconds - reported)
                self.note(**{k: round(v / count, 4) for k, v in sums.items()}, per_second=round(rate, 1))
                sums, count, views, reported = {}, 0, self.views, self.seconds
            if self.seconds - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = self.seconds
            if self.seconds - measured > MEASURE_SECONDS and self.codebook.started:
                self.note(test="held:twemoji", **measure(self.ema.module, self.test, 128))
                self.model.train()
                measured = self.seconds
        self.save()
        self.note(test="held:twemoji", **measure(self.ema.module, self.test, 128))


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    parser.add_argument("--weights", type=Path, default=Path("pixforge/models/embedded"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--discriminator-from",
        type=float,
        default=0.85,
        help="share of the time from which the patch discriminator takes part; 1: never",
    )
    parser.add_argument("--fresh", action="store_true", help="ignore an earlier checkpoint")
    Run(parser.parse_args()).train()


if __name__ == "__main__":
    main()
