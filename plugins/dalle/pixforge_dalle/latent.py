"""Arithmetic on codes and pictures: the nearest code, mixtures of codes, and gradients that pass."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

PAIRS = 1 << 25
"""Distances that are computed at once: 128 MiB."""


@torch.no_grad()
def nearest(vectors: torch.Tensor, codebook: torch.Tensor) -> torch.Tensor:
    """The numbers `[B, h, w]` of the codes in `[n, d]` that are nearest to `[B, d, h, w]` by Euclidean distance."""
    points = vectors.permute(0, 2, 3, 1).reshape(-1, vectors.shape[1])
    squares = codebook.square().sum(dim=1)  # |point|^2 is the same for all codes, and left out
    parts = torch.split(points, max(1, PAIRS // len(codebook)))
    found = [torch.addmm(squares, part, codebook.T, alpha=-2).argmin(dim=1) for part in parts]
    return torch.cat(found).view(len(vectors), *vectors.shape[2:])


def entries(codes: torch.Tensor, codebook: torch.Tensor) -> torch.Tensor:
    """The vectors `[B, d, h, w]` of code numbers `[B, h, w]`."""
    return F.embedding(codes, codebook).permute(0, 3, 1, 2)


def mixed(
    logits: torch.Tensor, codebook: torch.Tensor, temperature: float, uniform: torch.Tensor
) -> torch.Tensor:
    """Mix the codes `[n, d]` by the Gumbel-softmax of logits `[B, n, h, w]` (Jang et al. 2016): `[B, d, h, w]`.

    `uniform` are random numbers in [0, 1) of the logits' shape. The published relaxation ends at a temperature of 1/16.
    """
    least = torch.finfo(uniform.dtype).tiny
    gumbel = -(-uniform.clamp(min=least).log()).clamp(min=least).log()
    shares = ((logits + gumbel) / temperature).softmax(dim=1)
    return torch.einsum("bnhw,nd->bdhw", shares, codebook)


class _Clamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(images)
        return images.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        (images,) = ctx.saved_tensors
        outward = ((images > 1) & (gradients[0] < 0)) | ((images < 0) & (gradients[0] > 0))
        return gradients[0].masked_fill(outward, 0)


def clamped(images: torch.Tensor) -> torch.Tensor:
    """Clamp to [0, 1]; the gradient passes wherever a step against it would not lead further out."""
    made: torch.Tensor = _Clamp.apply(images)  # type: ignore[no-untyped-call]
    return made


def padded(images: torch.Tensor, factor: int) -> torch.Tensor:
    """Repeat the border of pictures `[B, 3, H, W]` evenly, so that `factor` divides both sides."""
    height, width = images.shape[-2:]
    high, wide = -height % factor, -width % factor
    top, left = high // 2, wide // 2
    return F.pad(images, (left, wide - left, top, high - top), mode="replicate")


def central(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The middle of pictures, which undoes `padded`."""
    top, left = (images.shape[-2] - height) // 2, (images.shape[-1] - width) // 2
    return images[..., top : top + height, left : left + width]
