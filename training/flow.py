"""Training by flow matching, for the prior, the decoder and the upsampler: the loss, and the options that they have."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor


def flow_loss(
    model: Callable[..., Tensor], data: Tensor, told: Tensor, noise: Tensor, times: Tensor
) -> Tensor:
    """Mean square errors (n,) of the velocity at `times` (n,) between data and noise."""
    share = times.view(-1, *[1] * (data.ndim - 1))
    with torch.autocast(data.device.type, torch.bfloat16):
        found = model((1 - share) * data + share * noise, times, told)
    return (found.float() - (noise - data)).square().flatten(1).mean(1)


def untold(told: Tensor, share: float) -> Tensor:
    """Zeros in place of a share of the rows (n, d): what classifier-free guidance needs."""
    return told * (torch.rand(len(told), 1, device=told.device) > share)


def parser(description: str | None, minutes: float, batch: int) -> argparse.ArgumentParser:
    """The options that all three trainings have."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--data", type=Path, default=Path("training/work/large.npz"))
    made.add_argument("--icons", type=Path, help="the archive of icons.py at the same size: more names")
    made.add_argument("--work", type=Path, default=Path("training/work"))
    made.add_argument("--weights", type=Path, default=Path("pixforge/models/embedded"))
    made.add_argument("--minutes", type=float, default=minutes)
    made.add_argument("--start", type=Path, help="exported weights to start from instead of random ones")
    made.add_argument("--batch", type=int, default=batch, help="pictures in a step")
    made.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    made.add_argument("--fresh", action="store_true", help="ignore an earlier checkpoint")
    return made
