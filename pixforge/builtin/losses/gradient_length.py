"""The mean length of a picture's gradient, in as few passes over the picture as it takes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch.autograd.function import once_differentiable

# Keeps the root's derivative finite where the picture is flat; a thousandth of an 8-bit step, squared.
FLAT = 1e-11


def mean_length(images: torch.Tensor, clip: float, *, log: bool) -> torch.Tensor:
    """`[B]`, the mean of min(length, `clip`) over `[B, 3, H, W]`, or of log(1 + that); 0 for flat pictures.

    A pixel's length is that of its differences to the right and lower neighbors; the last row and column have none.
    """
    mean: torch.Tensor = _MeanLength.apply(images, clip, log)  # type: ignore[no-untyped-call]
    return mean


class _MeanLength(torch.autograd.Function):
    """Its derivative needs the same differences, so that autograd's record of each operation would be twice the work."""

    @staticmethod
    def forward(ctx: Any, images: torch.Tensor, clip: float, log: bool) -> torch.Tensor:
        here = images[:, :, :-1, :-1]
        down, right = images[:, :, 1:, :-1] - here, images[:, :, :-1, 1:] - here
        length = torch.addcmul(images.new_full((), FLAT), down, down).addcmul_(right, right).sqrt_()
        slope = torch.threshold_(length.reciprocal(), 1 / clip, 0.0)  # of the length; none above `clip`
        if log:
            slope.div_(length + 1)
        ctx.save_for_backward(down.mul_(slope), right.mul_(slope))
        length.clamp_(max=clip)
        return (length.log1p_() if log else length).mean(dim=(1, 2, 3))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        down, right = ctx.saved_tensors
        share = (gradients[0] / down[0].numel())[:, None, None, None]
        made = F.pad(down, (0, 1, 1, 0))
        made[:, :, :-1, 1:].add_(right)
        made[:, :, :-1, :-1].sub_(down).sub_(right)
        return made.mul_(share), None, None
