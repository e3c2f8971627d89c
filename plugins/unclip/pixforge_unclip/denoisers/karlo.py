"""Karlo's decoder of pixels, as diffusers saved it, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from pixforge_unclip.backends.karlo import conditions
from pixforge_unclip.denoisers.noise import NoiseDenoiser
from pixforge_unclip.fitting import fitted, middle
from pixforge_unclip.samplers.sampler import Sampler
from pixforge_unclip.samplers.schedulers import Scheduled, noise_scheduler

if TYPE_CHECKING:
    from pixforge.contracts import RunContext
    from pixforge_unclip.backends.karlo import Karlo

OWN = "ddpm"
"""Of the schedulers that can be guided, the one of which Karlo's own is a variant."""


class KarloDenoiser(NoiseDenoiser):
    """The latent is a small picture in -1 to 1, fitted into the run's; the text beside the embedding is empty.

    Args:
        backend: has the networks.
        context: the run.
    """

    def __init__(self, backend: Karlo, context: RunContext) -> None:
        self._backend, self._context, self.guidance = backend, context, backend.guidance
        self._unet, self._project = (backend.saved.held(part) for part in ("decoder", "text_proj"))
        self._side = (self._unet.config.sample_size,) * 2
        shape = (context.batch, self._unet.config.in_channels, *self._side)
        self.latent = torch.zeros(shape, device=context.device, requires_grad=True)
        self._said: dict[str, Tensor] | None = None

    def sampler(self, name: str | None, steps: int, start: float) -> Sampler:
        """With the schedule of noise that was saved with it."""
        saved = self._backend.saved.scheduler("decoder_scheduler")
        return Scheduled(noise_scheduler(name or OWN, saved.config), steps, start)

    def asked(self, x: Tensor, time: float, told: Tensor) -> Tensor:
        """Told the embedding and no text."""
        if self._said is None:
            with torch.no_grad():
                self._said = self._backend.told([""], 1)
        dtype = self._context.dtype
        said = {name: each.expand(len(x), *each.shape[1:]) for name, each in self._said.items()}
        known = conditions(self._project, told.to(dtype), said, both=False)
        found: Tensor = self._unet(x.to(dtype), time, **known).sample.float()
        return found

    def nothing(self) -> Tensor:
        """What the projection learned for it."""
        found: Tensor = self._project.learned_classifier_free_guidance_embeddings[None].float()
        return found

    def picture(self, step: int) -> Tensor:  # noqa: ARG002 - the same at every step
        """The latent, as large as the run's picture."""
        return fitted((self.latent / 2 + 0.5).clamp(0, 1), self._context.size)

    def encode(self, image: Tensor) -> None:
        """The middle square, small."""
        self.latent.copy_(fitted(middle(image), self._side) * 2 - 1)

    def shrink(self, mask: Tensor) -> Tensor:
        """Of the middle square."""
        return adaptive_avg_pool2d(middle(mask), self._side)

    def constrain(self) -> None:
        """A picture."""
        self.latent.clamp_(-1, 1)
