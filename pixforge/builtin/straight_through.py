"""Replace values and let the gradient pass as if nothing were replaced."""

from __future__ import annotations

from typing import Any

import torch


def straight_through(values: torch.Tensor, replaced: torch.Tensor, commitment: float = 0.0) -> torch.Tensor:
    """`replaced` in the forward pass; in the backward pass the gradient of `values`.

    With a commitment, the gradient of `commitment` times the mean squared difference of the two joins, for each canvas
    on its own: it pulls the values to what they are replaced by (van den Oord et al. 2017).
    """
    made: torch.Tensor = _StraightThrough.apply(values, replaced, commitment)  # type: ignore[no-untyped-call]
    return made


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, replaced: torch.Tensor, commitment: float) -> torch.Tensor:
        ctx.commitment = commitment
        if commitment:
            ctx.save_for_backward(values - replaced)
        return replaced.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        gradient = gradients[0]
        if ctx.commitment:
            (away,) = ctx.saved_tensors
            gradient = gradient + away * (2 * ctx.commitment / away[0].numel())
        return gradient, None, None
