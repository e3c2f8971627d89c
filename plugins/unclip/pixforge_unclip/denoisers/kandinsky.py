"""A U-Net told an image embedding and its MOVQ, as diffusers saved them, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from pixforge.errors import InputError
from pixforge_unclip.denoisers.noise import NoiseDenoiser
from pixforge_unclip.samplers.sampler import Sampler
from pixforge_unclip.samplers.schedulers import NOISE, Scheduled, noise_scheduler

if TYPE_CHECKING:
    from pixforge.contracts import RunContext
    from pixforge_unclip.backends.kandinsky import Kandinsky

FARTHEST = 20.0
"""No latent lies farther out; half precision could not decode it."""


class KandinskyDenoiser(NoiseDenoiser):
    """Of any size: the latent is a little larger where the networks cannot halve the picture's, and the middle is shown.

    U-Net and MOVQ stay on the device, since every step uses them.

    Args:
        backend: has the networks.
        context: the run.
    """

    def __init__(self, backend: Kandinsky, context: RunContext) -> None:
        self._backend, self._context, self.guidance = backend, context, backend.guidance
        self._unet, self._movq = (backend.saved.held(part) for part in ("unet", "movq"))
        self._factor = 2 ** (len(self._movq.config.block_out_channels) - 1)
        halved = 2 ** (len(self._unet.config.block_out_channels) - 1)
        side = self._factor * halved
        rows, columns = (-(-length // side) * halved for length in (context.height, context.width))
        shape = (context.batch, self._unet.config.in_channels, rows, columns)
        self.latent = torch.zeros(shape, device=context.device, requires_grad=True)
        self._nothing: Tensor | None = None

    def sampler(self, name: str | None, steps: int, start: float) -> Sampler:
        """The scheduler that was saved with it, or another one with its schedule of noise."""
        saved = self._backend.saved.scheduler()
        own = type(saved).__name__
        if name is None and own not in NOISE.values():
            raise InputError(f"the model's own {own} cannot be guided; name a sampler: {', '.join(NOISE)}")
        return Scheduled(saved if name is None else noise_scheduler(name, saved.config), steps, start)

    def asked(self, x: Tensor, time: float, told: Tensor) -> Tensor:
        """The U-Net in the run's precision."""
        dtype = self._context.dtype
        found: Tensor = self._unet(
            x.to(dtype), time, encoder_hidden_states=None, added_cond_kwargs={"image_embeds": told.to(dtype)}
        ).sample
        return found.float()

    def nothing(self) -> Tensor:
        """The backend's, asked once."""
        if self._nothing is None:
            with torch.no_grad():
                self._nothing = self._backend.nothing()
        return self._nothing

    def picture(self, step: int) -> Tensor:  # noqa: ARG002 - the same at every step
        """The middle of the decoded latent."""
        # One by one on a CPU, where several at once take longer.
        count = 1 if self.latent.device.type == "cpu" else len(self.latent)
        parts = torch.split(self.latent.to(self._context.dtype), count)
        shown = torch.cat([self._movq.decode(each, force_not_quantize=True).sample for each in parts]).float()
        height, width = self._context.height, self._context.width
        top, left = (shown.shape[-2] - height) // 2, (shown.shape[-1] - width) // 2
        return (shown[..., top : top + height, left : left + width] / 2 + 0.5).clamp(0, 1)

    def encode(self, image: Tensor) -> None:
        """By MOVQ's encoder; the border is repeated where the latent is larger than the picture."""
        whole = self._padded(image)
        self.latent.copy_(self._movq.encode((whole * 2 - 1).to(self._context.dtype)).latents)

    def shrink(self, mask: Tensor) -> Tensor:
        """Padded as pictures are."""
        return avg_pool2d(self._padded(mask), self._factor)

    def _padded(self, image: Tensor) -> Tensor:
        height, width = (side * self._factor for side in self.latent.shape[-2:])
        more_high, more_wide = height - image.shape[-2], width - image.shape[-1]
        top, left = more_high // 2, more_wide // 2
        return pad(image, (left, more_wide - left, top, more_high - top), mode="replicate")

    def constrain(self) -> None:
        """Not endlessly far out."""
        self.latent.clamp_(-FARTHEST, FARTHEST)
