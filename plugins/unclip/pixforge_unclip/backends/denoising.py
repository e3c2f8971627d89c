"""From noise to data by a scheduler of diffusers, as its pipelines do, with the arithmetic in float32."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import torch
from torch import Tensor

from pixforge.errors import InputError

Asked = Callable[[Tensor, Tensor], Tensor]
"""A network's output `[n, ...]` in float32 for noisy data `[n, ...]` in float32, at a time of the scheduler."""


def set_times(scheduler: Any, steps: int) -> None:
    """Prepare a scheduler for so many steps.

    Raises:
        InputError: it cannot do with so few.
    """
    if steps < 2 and type(scheduler).__name__ == "UnCLIPScheduler":
        raise InputError(
            "init: a step alone is too little for this model; prior_steps and steps of 2 would work"
        )
    # On the CPU, or every step would wait for the device to know its time.
    scheduler.set_timesteps(steps, device="cpu")


def denoised(scheduler: Any, network: Asked, noise: Tensor, generator: torch.Generator) -> Tensor:
    """Data `[n, ...]` from noise of deviation 1, in float32.

    Args:
        scheduler: after `set_times`.
        network: guidance included; further channels are the variance, if the scheduler learned one.
        noise: where it starts.
        generator: fresh noise for schedulers that add some.
    """
    taken = signature(scheduler.step).parameters
    learned = getattr(scheduler.config, "variance_type", None) in {"learned", "learned_range"}
    times = scheduler.timesteps
    x: Tensor = noise * scheduler.init_noise_sigma
    for index, time in enumerate(times):
        found = network(scheduler.scale_model_input(x, time), time)
        options: dict[str, Any] = {"generator": generator} if "generator" in taken else {}
        if "prev_timestep" in taken:
            options["prev_timestep"] = times[index + 1] if index + 1 < len(times) else None
        known = found if learned else found[:, : x.shape[1]]
        x = scheduler.step(known, time, x, **options).prev_sample
    return x


def guided(found: Tensor, strength: float, channels: int) -> Tensor:
    """The output for a batch `[2 n, ...]` that was asked told nothing, then told: `[n, ...]`; variance is that of the second."""
    free, led = found.chunk(2)
    mean = free[:, :channels] + strength * (led[:, :channels] - free[:, :channels])
    return torch.cat([mean, led[:, channels:]], dim=1)
