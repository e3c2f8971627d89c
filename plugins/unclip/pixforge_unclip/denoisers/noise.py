"""A network of diffusers that was trained to predict noise, step by step."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from pixforge_unclip.denoisers.denoiser import Denoiser


class NoiseDenoiser(Denoiser):
    """Guidance around `asked`; it is in float32, as all but the networks is."""

    guidance: float
    """Where a recipe says nothing."""

    def output(self, noisy: Tensor, time: float, told: Tensor | None, guidance: float | None) -> Tensor:
        """The noise, and in further channels the variance if the network gives it."""
        strength = self.guidance if guidance is None else guidance
        if told is None or strength == 0:
            told, strength = self.nothing().expand(len(noisy), -1), 1.0
        # One by one on a CPU, so that a canvas is exactly what it would be alone.
        count = 1 if noisy.device.type == "cpu" else len(noisy)
        parts = zip(torch.split(noisy, count), torch.split(told, count), strict=True)
        return torch.cat([self._guided(x, time, each, strength) for x, each in parts])

    def _guided(self, x: Tensor, time: float, told: Tensor, strength: float) -> Tensor:
        led = self.asked(x, time, told)
        if strength == 1:
            return led
        channels = x.shape[1]
        free = self.asked(x, time, self.nothing().expand(len(x), -1))[:, :channels]
        mean = free + strength * (led[:, :channels] - free)
        return torch.cat([mean, led[:, channels:]], dim=1)

    @abstractmethod
    def asked(self, x: Tensor, time: float, told: Tensor) -> Tensor:
        """The network's output for noisy latents `[n, C, h, w]`, told embeddings `[n, D]`; all in float32."""

    @abstractmethod
    def nothing(self) -> Tensor:
        """The embedding `[1, D]` that stands for "told nothing", in float32."""
