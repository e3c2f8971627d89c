"""Sampling from networks that were trained by flow matching: Euler's method from noise, with classifier-free guidance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize

Velocity = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Of `[B, ...]` at times `[B]`, told embeddings `[B, D]`."""


def sample(
    velocity: Velocity, told: Tensor, noise: Tensor, steps: int, guidance: float = 1.0, start: float = 1.0
) -> Tensor:
    """Data `[B, ...]` from `noise` `[B, ...]`, told `[B, D]`.

    Args:
        velocity: the network.
        told: embeddings; zeros where nothing is told.
        noise: where it starts: at `start` below 1, this much noise mixed with 1 - `start` of data.
        steps: how many, of equal length.
        guidance: 1 is the plain network; more follows `told` more closely (Ho and Salimans 2022, arXiv 2207.12598).
        start: the time at which it starts.
    """
    x = noise
    for step in range(steps):
        time = x.new_full((len(x),), start * (1 - step / steps))
        found = velocity(x, time, told)
        if guidance != 1:
            free = velocity(x, time, torch.zeros_like(told))
            found = free + guidance * (found - free)
        x = x - found * (start / steps)
    return x


def embeddings(prior: Velocity, texts: Tensor, noise: Tensor, steps: int, guidance: float = 1.0) -> Tensor:
    """Unit vectors `[B, D]` of pictures, told the texts' `[B, D]`, from `noise` `[B, D]`."""
    return normalize(sample(prior, texts, noise, steps, guidance), dim=1)
