"""The mean length of a picture's gradient, in as few passes over the picture as it takes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch.autograd.function import once_differentiable

from pixforge.contracts.constants import constant

# Keeps the root's derivative finite where the picture is flat; a thousandth of an 8-bit step, squared.
FLAT = 1e-11


def mean_length(
    images: torch.Tensor, clip: float, *, log: bool, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """`[B]`, the mean of min(length, `clip`) over `[B, 3, H, W]`, or of log(1 + that); 0 for flat pictures.

    A pixel's length is that of its differences to the right and lower neighbors; the last row and column have none.
    """
    mean: torch.Tensor = _MeanLength.apply(images, clip, log, _weights(mask, images.shape[1]))  # type: ignore[no-untyped-call]
    return mean


def _weights(mask: torch.Tensor | None, channels: int) -> torch.Tensor | None:
    """`[1, 1, H - 1, W - 1]` that add up to 1 over a picture: a pixel counts when its two neighbors are inside as well."""
    if mask is None:
        return None
    inside = mask[..., :-1, :-1] * mask[..., 1:, :-1] * mask[..., :-1, 1:]
    return inside / (channels * inside.sum()).clamp(min=1e-6)


class _MeanLength(torch.autograd.Function):
    """Its derivative needs the same differences, so that autograd's record of each operation would be twice the work."""

    @staticmethod
    def forward(
        ctx: Any, images: torch.Tensor, clip: float, log: bool, weights: torch.Tensor | None
    ) -> torch.Tensor:
        here = images[:, :, :-1, :-1]
        down, right = images[:, :, 1:, :-1] - here, images[:, :, :-1, 1:] - here
        length = torch.addcmul(constant((FLAT,), images.device), down, down).addcmul_(right, right).sqrt_()
        slope = torch.threshold_(length.reciprocal(), 1 / clip, 0.0)  # of the length; none above `clip`
        if log:
            slope.div_(length + 1)
        ctx.save_for_backward(down.mul_(slope), right.mul_(slope))
        length.clamp_(max=clip)
        length = length.log1p_() if log else length
        ctx.weights = weights
        return length.mean(dim=(1, 2, 3)) if weights is None else (length * weights).sum(dim=(1, 2, 3))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        down, right = ctx.saved_tensors
        if ctx.weights is None:
            share = (gradients[0] / down[0].numel())[:, None, None, None]
        else:
            down, right = down * ctx.weights, right * ctx.weights
            share = gradients[0][:, None, None, None]
        made = F.pad(down, (0, 1, 1, 0))
        made[:, :, :-1, 1:].add_(right)
        made[:, :, :-1, :-1].sub_(down).sub_(right)
        return made.mul_(share), None, None, None
