"""Arithmetic on latents and pictures: clamping, mixtures of codes, half the size, sizes that the factor does not divide."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses


class _Clamp(torch.autograd.Function):
    """A clamp to [0, 1] that lets clamped values return: their gradient passes if a step would move them inside."""

    @staticmethod
    def forward(ctx: Any, images: torch.Tensor) -> torch.Tensor:
        clamped = images.clamp(0, 1)
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(images - clamped)
        return clamped

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        (beyond,) = ctx.saved_tensors
        (gradient,) = gradients
        # Gradient descent moves against the gradient: a value above 1 comes back only if its gradient is positive.
        return gradient.masked_fill(beyond * gradient < 0, 0)


def clamp_with_gradient(images: torch.Tensor) -> torch.Tensor:
    """Clamp to [0, 1], without the zero gradient of a plain clamp (VQGAN-CLIP's `clamp_with_grad`)."""
    clamped: torch.Tensor = _Clamp.apply(images)  # type: ignore[no-untyped-call]
    return clamped


def channel_range(codebook: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The smallest and the largest value of each channel over all codes `[n, d]`, each `[d, 1, 1]`."""
    return codebook.amin(dim=0)[:, None, None], codebook.amax(dim=0)[:, None, None]


def gumbel_codes(
    logits: torch.Tensor, codebook: torch.Tensor, temperature: float, uniform: torch.Tensor
) -> torch.Tensor:
    """Mix the codes `[n, d]` by Gumbel-softmax of the logits `[B, n, h, w]` (Jang et al. 2016) to `[B, d, h, w]`.

    `uniform` holds random numbers in [0, 1), of a shape that broadcasts with the logits.
    """
    tiny = torch.finfo(uniform.dtype).tiny
    gumbel = -(-(uniform.clamp(min=tiny)).log()).clamp(min=tiny).log()
    chosen = ((logits + gumbel) / max(temperature, 1e-3)).softmax(dim=1)
    return torch.einsum("bnhw,nd->bdhw", chosen, codebook)


def padded(images: torch.Tensor, factor: int) -> torch.Tensor:
    """Pad pictures `[B, 3, H, W]` evenly by repeating their border, so that `factor` divides both sides."""
    height, width = images.shape[-2:]
    more_high, more_wide = -height % factor, -width % factor
    if not (more_high or more_wide):
        return images
    top, left = more_high // 2, more_wide // 2
    return F.pad(images, (left, more_wide - left, top, more_high - top), mode="replicate")


def central(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Cut the middle of `height` x `width` from pictures `[B, 3, H, W]`; this undoes `padded`."""
    top, left = (images.shape[-2] - height) // 2, (images.shape[-1] - width) // 2
    return images[..., top : top + height, left : left + width]


def halved(z: torch.Tensor) -> torch.Tensor:
    """Half as many rows and columns, rounded up: the means of 2 x 2 vectors, `[B, d, h, w]` to `[B, d, h / 2, w / 2]`."""
    return F.avg_pool2d(z, 2, ceil_mode=True)


def doubled(z: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Repeat each vector in 2 x 2 places; this undoes `halved` where these are equal."""
    return z.repeat_interleave(2, dim=-2).repeat_interleave(2, dim=-1)[..., :rows, :columns]
