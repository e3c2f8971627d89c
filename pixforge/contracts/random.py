"""Random numbers that depend only on the canvas's seed, the purpose and the step, not on earlier draws.

So adding a loss does not change the cutouts, a canvas in a batch draws the same numbers as alone, and resuming at step
t needs no state of a random generator.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive_seed(seed: int, purpose: str, step: int) -> int:
    """A 63-bit seed for one canvas seed, purpose and step."""
    digest = hashlib.blake2b(f"{seed}/{purpose}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def number_of_seed(seed: int | str) -> int:
    """The number of a seed: the seed itself, or a hash if it is a text."""
    if isinstance(seed, int):
        return seed
    return int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=6).digest(), "big")


class Draws:
    """The source of all random numbers of a run.

    Args:
        seeds: one number for each canvas.
        device: the device that draws the numbers; another kind of device draws different ones.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self.seeds = tuple(seeds)
        self.device = device

    def at(self, purpose: str, step: int = 0, device: torch.device | str | None = None) -> Stream:
        """The numbers of one purpose at one step; every call gives the same numbers."""
        import torch

        where = torch.device(device) if device is not None else self.device
        generators = [
            torch.Generator(device=where).manual_seed(derive_seed(seed, purpose, step)) for seed in self.seeds
        ]
        return Stream(generators)


class Stream:
    """Random numbers for all canvases; each call continues where the last one stopped."""

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        self._generators = generators

    @property
    def generators(self) -> Sequence[torch.Generator]:
        """One for each canvas, for libraries that draw by themselves."""
        return self._generators

    def rand(self, *shape: int) -> torch.Tensor:
        """Uniform in [0, 1): `[B, *shape]`."""
        import torch

        return torch.stack([torch.rand(shape, generator=g, device=g.device) for g in self._generators])

    def randn(self, *shape: int) -> torch.Tensor:
        """Standard normal: `[B, *shape]`."""
        import torch

        return torch.stack([torch.randn(shape, generator=g, device=g.device) for g in self._generators])

    def uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        """Uniform in [low, high): `[B, *shape]`."""
        spread = self.rand(*shape) * (high - low)
        return spread + low if low else spread
