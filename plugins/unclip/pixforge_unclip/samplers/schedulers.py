"""Schedulers of diffusers as samplers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from inspect import signature
from typing import Any

import torch
from torch import Tensor

from pixforge.errors import InputError
from pixforge_unclip.backends.saved import diffusers_class
from pixforge_unclip.samplers.sampler import Network, Sampler

NOISE = {
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "dpm": "DPMSolverMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler_ancestral": "EulerAncestralDiscreteScheduler",
    "unipc": "UniPCMultistepScheduler",
}
"""For networks that predict the noise, by the word of a recipe."""
FLOW = {name: NOISE[name] for name in ("dpm", "unipc")}
"""For networks that were trained by flow matching, beside `euler`."""
FLOW_TIMES = 1000
"""Flow times from 0 to 1 are these steps of a scheduler."""
REMEMBERED = (
    "_step_index",
    "last_sample",
    "lower_order_nums",
    "model_outputs",
    "this_order",
    "timestep_list",
)
"""What a step leaves for later ones in these schedulers."""
LEARNED = ("learned", "learned_range")
VARIANCE_EXPLODING = ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler")
"""Their noisy latents are the clean one plus sigma times noise; others keep the variance."""


class Scheduled(Sampler):
    """A scheduler of diffusers.

    Args:
        scheduler: a new one, which nobody else uses.
        steps: how many.
        start: which share of the way from noise to the picture there is to go, in (0, 1], as `strength` in diffusers.
    """

    def __init__(self, scheduler: Any, steps: int, start: float) -> None:
        self.scheduler, self.steps = scheduler, steps
        total = max(steps, round(steps / start))
        # On the CPU, or every step would wait for the device to know its time.
        scheduler.set_timesteps(total, device="cpu")
        self._first = total - steps
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(self._first)
        self._times = scheduler.timesteps[self._first :]
        self._draws = "generator" in signature(scheduler.step).parameters
        # Then the network's further channels are the variance, and the scheduler wants them.
        self._learned = getattr(scheduler.config, "variance_type", None) in LEARNED
        self._flow = bool(getattr(scheduler.config, "use_flow_sigmas", False))
        self._kind = "flow_prediction" if self._flow else str(scheduler.config.prediction_type)
        self._parts = [self._mixture(level) for level in range(steps)] + [(1.0, 0.0)]

    def fresh(self) -> Scheduled:
        """A copy; setting the times again would ask for their values."""
        made = copy(self)
        made.scheduler = copy(self.scheduler)
        for name in REMEMBERED:
            if isinstance(held := getattr(made.scheduler, name, None), list):
                setattr(made.scheduler, name, list(held))
        return made

    def _mixture(self, level: int) -> tuple[float, float]:
        scheduler = self.scheduler
        sigmas = getattr(scheduler, "sigmas", None)
        if sigmas is None:  # DDPM and DDIM
            kept = float(scheduler.alphas_cumprod[int(self._times[level])])
            return kept**0.5, (1 - kept) ** 0.5
        sigma = float(sigmas[self._first + level])
        if self._flow:
            return 1 - sigma, sigma
        if type(scheduler).__name__ in VARIANCE_EXPLODING:
            return 1.0, sigma
        signal = (sigma**2 + 1) ** -0.5
        return signal, sigma * signal

    def signal(self, level: int) -> float:
        """From the schedule."""
        return self._parts[level][0]

    def noise(self, level: int) -> float:
        """From the schedule."""
        return self._parts[level][1]

    @property
    def deviation(self) -> float:
        """As the scheduler says; most take the little that is left of a picture for noise."""
        return float(self.scheduler.init_noise_sigma)

    def step(
        self, network: Network, noisy: Tensor, level: int, draws: Sequence[torch.Generator]
    ) -> tuple[Tensor, Tensor]:
        """The scheduler's step."""
        time = self._times[level]
        seen = self.scheduler.scale_model_input(noisy, time)
        found = network(seen, self.noise(level) if self._flow else float(time))
        mean = found[:, : noisy.shape[1]]
        options = {"generator": list(draws)} if self._draws else {}
        known = found if self._learned else mean
        return self._clean(mean, noisy, level), self.scheduler.step(known, time, noisy, **options).prev_sample

    def _clean(self, found: Tensor, noisy: Tensor, level: int) -> Tensor:
        """The clean latent that an output stands for (Salimans and Ho 2022, arXiv 2202.00512, appendix D)."""
        signal, noise = self._parts[level]
        if self._kind == "sample":
            return found
        if self._kind == "v_prediction":
            length = (signal**2 + noise**2) ** 0.5
            return noisy * (signal / length**2) - found * (noise / length)
        if self._kind == "flow_prediction":
            return noisy - noise * found
        clean: Tensor = (noisy - noise * found) / signal
        return clean

    def state(self) -> dict[str, Tensor]:
        """What those of several orders know of the last steps."""
        return {
            key: each if isinstance(each, Tensor) else torch.tensor(each)
            for name, value in vars(self.scheduler).items()
            if name in REMEMBERED
            for key, each in _parts_of(name, value).items()
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Put them back.

        Raises:
            ValueError: a name is none of those that schedulers remember.
        """
        for key, each in state.items():
            name, _, index = key.partition("/")
            if name not in REMEMBERED:
                raise ValueError(f"no scheduler remembers {name[:60]!r}")
            value = each if each.is_floating_point() or index else each.item()
            if index:
                getattr(self.scheduler, name)[int(index)] = value
            else:
                setattr(self.scheduler, name, value)


def _parts_of(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {f"{name}/{index}": each for index, each in enumerate(value) if isinstance(each, Tensor)}
    known = isinstance(value, Tensor | int) and not isinstance(value, bool)
    return {name: value} if known else {}


def noise_scheduler(name: str, config: Any) -> Any:
    """A scheduler for a network that predicts noise, with the schedule of the one that it was trained with.

    Args:
        name: of `NOISE`.
        config: of the scheduler that was saved with the network.

    Raises:
        InputError: the scheduler does not take what the network predicts.
        WeightsError: diffusers is not installed.
    """
    if name == "euler_ancestral" and config.get("prediction_type") == "sample":
        raise InputError(f"sampler '{name}' cannot use a network that predicts the picture; ddim can")
    kind = diffusers_class(NOISE[name])
    # These know nothing of a learned variance, or take the first three channels for the mean.
    more = {} if name == "ddpm" else {"variance_type": None}
    return kind.from_config({**config, **more})


def flow_scheduler(name: str) -> Any:
    """A scheduler for a network that was trained by flow matching.

    Args:
        name: of `FLOW`.

    Raises:
        WeightsError: diffusers is not installed.
    """
    kind = diffusers_class(FLOW[name])
    return kind(num_train_timesteps=FLOW_TIMES, prediction_type="flow_prediction", use_flow_sigmas=True)
