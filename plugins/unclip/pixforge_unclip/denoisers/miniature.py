"""The decoder of this package's own form, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from pixforge.errors import InputError, WeightsError
from pixforge_unclip.denoisers.denoiser import Denoiser
from pixforge_unclip.fitting import fitted, middle
from pixforge_unclip.samplers.flow import FlowEuler
from pixforge_unclip.samplers.sampler import Sampler

if TYPE_CHECKING:
    from pixforge.contracts import RunContext
    from pixforge_unclip.backends.miniature import Miniature

OWN = "euler"


class MiniatureDenoiser(Denoiser):
    """A network of latents of one size, and the generator that decodes them; its picture is fitted into the run's.

    Args:
        backend: has the card and the network.
        context: the run.

    Raises:
        WeightsError: the generator of the card has no such latents.
    """

    def __init__(self, backend: Miniature, context: RunContext) -> None:
        self._backend, self._context = backend, context
        self._decoder = backend.decoder  # read now: the first step is too late for `check --memory`
        card = backend.card
        self._size = (card.size, card.size)
        self._inner: Any = context.component("generator", card.generator, size=self._size)
        wanted = (context.batch, card.decoder.channels, card.decoder.side, card.decoder.side)
        held = self._inner.latents().get("z")
        if held is None or held.shape != wanted:
            raise WeightsError(
                f"the decoder makes latents of {list(wanted[1:])}, which its generator {card.generator} does not have at "
                f"{card.size} pixels"
            )
        self.latent = held

    def sampler(self, name: str | None, steps: int, start: float) -> Sampler:
        """Euler's method, or a scheduler of diffusers for flow matching."""
        if name in {None, OWN}:
            return FlowEuler(steps, start)
        from pixforge_unclip.samplers.schedulers import FLOW, Scheduled, flow_scheduler

        if name not in FLOW:
            raise InputError(
                f"sampler '{name}' is for models that predict noise; this one was trained by flow matching: "
                f"{', '.join((OWN, *FLOW))}"
            )
        return Scheduled(flow_scheduler(name), steps, start)

    def output(self, noisy: Tensor, time: float, told: Tensor | None, guidance: float | None) -> Tensor:
        """The velocity."""
        strength = self._backend.guidance if guidance is None else guidance
        if told is None or strength == 0:
            told, strength = noisy.new_zeros(len(noisy), self._backend.card.decoder.embedding), 1.0
        # One by one on a CPU, so that a canvas is exactly what it would be alone.
        count = 1 if noisy.device.type == "cpu" else len(noisy)
        parts = zip(torch.split(noisy, count), torch.split(told, count), strict=True)
        return torch.cat([self._velocity(x, time, each, strength) for x, each in parts])

    def _velocity(self, x: Tensor, time: float, told: Tensor, strength: float) -> Tensor:
        decoder, times = self._decoder, x.new_full((len(x),), time)
        led: Tensor = decoder(x, times, told)
        if strength == 1:
            return led
        free: Tensor = decoder(x, times, torch.zeros_like(told))
        return free + strength * (led - free)

    def picture(self, step: int) -> Tensor:
        """As the generator of the card makes it."""
        return fitted(self._inner.forward(step), self._context.size)

    def encode(self, image: Tensor) -> None:
        """As that generator does; of a picture of another shape, the middle square."""
        self._inner.encode(fitted(middle(image), self._size))

    def shrink(self, mask: Tensor) -> Tensor:
        """Of the middle square."""
        return adaptive_avg_pool2d(middle(mask), self.latent.shape[-2:])

    def constrain(self) -> None:
        """As that generator does."""
        self._inner.constrain()
