"""Go on with a backward pass from where its gradient is known."""

from __future__ import annotations

from typing import Any

import torch


def root_of(tensor: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """A scalar whose gradient on `tensor` is `gradient`, of the same shape; its own value means nothing.

    `tensor.backward(gradient)` gives the same, but torch imports sympy for the comparison of the shapes: a third of a
    second before the first step. Nothing is copied or multiplied.
    """
    root: torch.Tensor = _Root.apply(tensor, gradient)  # type: ignore[no-untyped-call]
    return root


class _Root(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        ctx.gradient = gradient
        return tensor.new_empty(())

    @staticmethod
    def backward(ctx: Any, *_: torch.Tensor) -> tuple[torch.Tensor, None]:
        return ctx.gradient, None
