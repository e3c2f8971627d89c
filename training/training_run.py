"""A training that resumes: a running mean, checkpoints, a log."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim import Optimizer

M = TypeVar("M", bound=nn.Module)

CHECKPOINT_SECONDS = 120
REPORT_SECONDS = 60
MEASURE_SECONDS = 300
BETAS = (0.9, 0.97)
DECAY = 0.01
MUON_DECAY = 0.02
EMA = 0.998
WARM = 100
"""Steps in which the rate rises."""
FALLING = 0.5
"""Share of the time after which the rate falls to zero."""


@torch.no_grad()
def average(mean: list[Tensor], now: list[Tensor], count: Tensor) -> None:
    """A running mean that soon forgets its first steps, however few there are."""
    decay = min(EMA, (1 + int(count)) / (10 + int(count)))
    torch._foreach_lerp_(mean, now, 1 - decay)


def placed_model(model: M, options: argparse.Namespace) -> M:
    """The model on its device, with the exported weights that it starts from, if there are any."""
    if options.start:
        model.load_state_dict({key: each.float() for key, each in load_file(options.start).items()})
    return model.to(options.device)


def adam(model: nn.Module, rate: float) -> list[Optimizer]:
    """AdamW, which makes no bias and no scale smaller."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [torch.optim.AdamW(groups, lr=rate, betas=BETAS)]


def muon(
    blocks: nn.Module,
    parameters: Iterable[nn.Parameter],
    rates: tuple[float, float],
    betas: tuple[float, float],
) -> list[Optimizer]:
    """Muon (Jordan et al. 2024) for the matrices of a transformer's blocks, which needs fewer steps than Adam.

    Args:
        blocks: whose matrices these are.
        parameters: all that are trained; the others go by Adam.
        rates: the peaks of Muon's learning rate and of Adam's.
        betas: of Adam.
    """
    matrices = [p for p in blocks.parameters() if p.ndim > 1]
    chosen = {id(p) for p in matrices}
    others = [p for p in parameters if id(p) not in chosen]
    return [
        torch.optim.Muon(matrices, lr=rates[0], weight_decay=MUON_DECAY),
        torch.optim.AdamW(others, lr=rates[1], betas=betas, weight_decay=0.0),
    ]


def plain_attention(device: torch.device) -> AbstractContextManager[None]:
    """On a CPU, torch's fused attention takes a tenth more of a step than plain products: its backward pass in bfloat16 is slow."""
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()


def falling(step: int, progress: float) -> float:
    """The share of the peak rate: it rises, stays, and falls to zero in the second half of the time."""
    return min(1.0, (step + 1) / WARM) * (1 - max(0.0, progress - FALLING) / (1 - FALLING))


class TrainingRun:
    """The model, its running mean and its optimizers.

    Args:
        name: of the checkpoint and of the log.
        model: what is trained, on its device.
        optimizers: of the model's parameters, with the peaks of the learning rates.
        options: work (a folder), device, minutes and fresh.
        schedule: the share of the peak rates, of the step and of the share of the time that has passed.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        optimizers: list[Optimizer],
        options: argparse.Namespace,
        schedule: Callable[[int, float], float] = falling,
    ) -> None:
        self.model, self.optimizers, self.options, self.schedule = model, optimizers, options, schedule
        self.device = torch.device(options.device)
        self.peaks = [group["lr"] for group in self.groups]
        self.ema = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=average)
        self.file, self.log = options.work / f"{name}.pt", options.work / f"{name}.jsonl"
        self.seconds, self.step, self.views = 0.0, 0, 0
        if self.file.exists() and not options.fresh:
            self.resume()

    def resume(self) -> None:
        """Continue where the last checkpoint left off."""
        state = torch.load(self.file, map_location=self.device, weights_only=True)
        for name in ("model", "ema"):
            getattr(self, name).load_state_dict(state[name])
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.seconds, self.step, self.views = state["seconds"], state["step"], state["views"]

    def save(self) -> None:
        """Write the checkpoint in one move."""
        state: dict[str, Any] = {name: getattr(self, name).state_dict() for name in ("model", "ema")}
        state["optimizers"] = [each.state_dict() for each in self.optimizers]
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
    def groups(self) -> list[dict[str, Any]]:
        """What each optimizer has a rate for."""
        return [group for each in self.optimizers for group in each.param_groups]

    @property
    def progress(self) -> float:
        """Share of the planned time that has passed."""
        return self.seconds / (self.options.minutes * 60)

    def train(self, batch: Callable[[], Tensor], test: Callable[[nn.Module], dict[str, Any]]) -> None:
        """Train for the given minutes, earlier parts of a resumed run included.

        Args:
            batch: the losses (n,) of another batch, with gradient.
            test: figures of the running mean.
        """
        torch.manual_seed(self.step)
        last, reported, saved, measured = time.monotonic(), self.seconds, self.seconds, self.seconds
        total, count, views = torch.zeros((), device=self.device), 0, self.views
        while self.progress < 1:
            share = self.schedule(self.step, self.progress)
            for group, peak in zip(self.groups, self.peaks, strict=True):
                group["lr"] = peak * share
            with plain_attention(self.device):
                losses = batch()
            self.model.zero_grad(set_to_none=True)
            losses.mean().backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            for optimizer in self.optimizers:
                optimizer.step()
            self.ema.update_parameters(self.model)
            total += losses.detach().mean()
            count, self.step, self.views = count + 1, self.step + 1, self.views + len(losses)
            now = time.monotonic()
            self.seconds, last = self.seconds + now - last, now
            if self.seconds - reported > REPORT_SECONDS:
                rate = (self.views - views) / (self.seconds - reported)
                self.note(loss=round(float(total) / count, 4), per_second=round(rate, 1))
                total.zero_()
                count, views, reported = 0, self.views, self.seconds
            if self.seconds - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = self.seconds
            if self.seconds - measured > MEASURE_SECONDS:
                self.note(**self.tested(test))
                measured = self.seconds
        self.save()
        self.note(**self.tested(test))

    @torch.no_grad()
    def tested(self, test: Callable[[nn.Module], dict[str, Any]]) -> dict[str, Any]:
        """Figures of the running mean, with random numbers of their own."""
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return test(self.ema.module)
