"""Euler's method for networks that were trained by flow matching; needs nothing beside torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pixforge_unclip.samplers.sampler import Network, Sampler

ROUNDS = 5
"""Of the iteration that inverts a step."""


class FlowEuler(Sampler):
    """A noisy latent is (1 - t) * clean + t * noise; the network gives noise - clean (Lipman et al. 2022, arXiv 2210.02747).

    Args:
        steps: how many, of equal length.
        start: t at level 0, in (0, 1].
    """

    def __init__(self, steps: int, start: float) -> None:
        self.steps, self.start = steps, start

    def noise(self, level: int) -> float:
        """T."""
        return self.start * (1 - level / self.steps)

    def signal(self, level: int) -> float:
        """The rest."""
        return 1 - self.noise(level)

    def step(
        self,
        network: Network,
        noisy: Tensor,
        level: int,
        draws: Sequence[torch.Generator],  # noqa: ARG002 - it puts no fresh noise on it
    ) -> tuple[Tensor, Tensor]:
        """Along the velocity."""
        now, then = self.noise(level), self.noise(level + 1)
        velocity = network(noisy, now)
        return noisy - now * velocity, noisy + (then - now) * velocity

    def inverted(self, network: Network, clean: Tensor) -> Tensor:
        """Step by step, each by fixed-point iteration (implicit inversion, as Pan et al. 2023, arXiv 2309.04907, do)."""
        latent = clean
        for level in reversed(range(self.steps)):
            now, then = self.noise(level), self.noise(level + 1)
            after = latent
            for _ in range(ROUNDS):
                latent = after - (then - now) * network(latent, now)
        return latent
