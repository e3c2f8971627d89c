"""Kandinsky 2.2's classes of diffusers: `PriorTransformer`, `UNet2DConditionModel` told an image embedding, `VQModel`.

The loop does what diffusers' `KandinskyV22Pipeline` does, so that the same noise leads to the same picture. Kandinsky:
Razzhigaev et al. 2023, https://arxiv.org/abs/2310.03502.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pixforge_unclip.backends.denoising import denoised, guided, set_times
from pixforge_unclip.backends.prior import AT_ONCE, SavedPrior

if TYPE_CHECKING:
    from pixforge_unclip.denoisers.denoiser import Denoiser


class Kandinsky(SavedPrior):
    """A prior, a decoder or both, as diffusers saved them."""

    steps = 50
    guidance = 4.0

    def decode(
        self,
        embeddings: Tensor,
        generator: torch.Generator,
        steps: int | None,
        guidance: float | None,
        text: str = "",  # noqa: ARG002 - it reads none
    ) -> Tensor:
        """Denoise latents, told the embeddings, and decode them."""
        strength = self.guidance if guidance is None else guidance
        nothing = self.nothing() if strength > 1 else None
        parts = torch.split(embeddings, AT_ONCE)
        with self.saved.network("unet") as unet:
            latents = [self._latents(unet, each, nothing, generator, steps, strength) for each in parts]
        with self.saved.network("movq") as movq:
            made = [
                movq.decode(each.to(self.context.dtype), force_not_quantize=True).sample for each in latents
            ]
        return (torch.cat(made).float() / 2 + 0.5).clamp(0, 1)

    def nothing(self) -> Tensor:
        """The embedding `[1, D]` of an empty picture, which stands for "told nothing"."""
        with self.prior_saved.network("image_encoder", of_prior=True) as tower:
            side = tower.config.image_size
            empty = torch.zeros(1, 3, side, side, device=self.context.device, dtype=self.context.dtype)
            found: Tensor = tower(empty).image_embeds.float()
        return found

    def _latents(
        self,
        unet: Any,
        told: Tensor,
        nothing: Tensor | None,
        generator: torch.Generator,
        steps: int | None,
        strength: float,
    ) -> Tensor:
        scheduler = self.saved.scheduler()
        set_times(scheduler, steps or self.steps)
        config, dtype = unet.config, self.context.dtype
        shape = (len(told), config.in_channels, config.sample_size, config.sample_size)
        both = told if nothing is None else torch.cat([nothing.to(told).expand(len(told), -1), told])
        known = {"image_embeds": both.to(dtype)}

        def network(x: Tensor, time: Tensor) -> Tensor:
            seen = (x if nothing is None else torch.cat([x, x])).to(dtype)
            found: Tensor = unet(
                seen, time, encoder_hidden_states=None, added_cond_kwargs=known
            ).sample.float()
            return found if nothing is None else guided(found, strength, x.shape[1])

        return denoised(scheduler, network, self.noise(generator, *shape), generator)

    def denoiser(self) -> Denoiser:
        """Around the U-Net and MOVQ."""
        from pixforge_unclip.denoisers.kandinsky import KandinskyDenoiser

        return KandinskyDenoiser(self, self.context)
