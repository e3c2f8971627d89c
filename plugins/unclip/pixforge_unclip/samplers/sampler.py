"""What the generator `diffusion` asks of a sampler."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from pixforge.errors import UnsupportedError

Network = Callable[[Tensor, float], Tensor]
"""A network's output for noisy latents `[B, C, h, w]` at a time as it was trained with."""


class Sampler(ABC):
    """Steps from noise to a latent; step k of `steps` begins at level k, and level `steps` has no noise.

    A noisy latent is `signal` parts of the clean one and `noise` parts of noise of deviation 1. Nothing has a gradient.
    """

    steps: int

    @abstractmethod
    def signal(self, level: int) -> float:
        """How much of the clean latent there is in a noisy one."""

    @abstractmethod
    def noise(self, level: int) -> float:
        """How much noise there is in it."""

    @property
    def deviation(self) -> float:
        """Of the noise that takes the place of a noisy latent at level 0, where no picture is given."""
        return self.noise(0)

    @abstractmethod
    def step(
        self, network: Network, noisy: Tensor, level: int, draws: Sequence[torch.Generator]
    ) -> tuple[Tensor, Tensor]:
        """What the network takes the clean latent for, and the noisy latent of the next level.

        Args:
            network: the network, guidance included.
            noisy: at this level, `[B, C, h, w]`.
            level: which is called in order.
            draws: random numbers for samplers that put fresh noise on it, one generator for each canvas, on the CPU.
        """

    def fresh(self) -> Sampler:
        """One like this that remembers nothing; called before its first step."""
        return self

    def inverted(self, network: Network, clean: Tensor) -> Tensor:  # noqa: ARG002 - overridden where it is possible
        """The noise at level 0 that leads to a clean latent, nearly.

        Raises:
            UnsupportedError: it is not known for this sampler.
        """
        raise UnsupportedError(
            "few_steps can start from a picture only with the sampler euler and a model trained by flow matching; "
            "leave the start picture out"
        )

    def state(self) -> dict[str, Tensor]:
        """What it remembers of earlier steps, for a checkpoint."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:  # noqa: B027 - most remember nothing
        """Take over what `state` gave, on a sampler that was made with the same arguments."""
