"""A network applied to a batch in chunks, so that only one chunk's activations are held at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from pixforge.contracts.gradients import root_of

Network = Callable[[torch.Tensor], torch.Tensor]


def chunked(network: Network, images: torch.Tensor, chunk: int | str) -> torch.Tensor:
    """`network(images)` for a network that treats the items of a batch independently.

    Args:
        network: `[n, ...]` to `[n, ...]`; its own parameters get no gradient.
        images: `[N, ...]`.
        chunk: items at once; `auto` for all, and half as many each time when memory does not suffice.
    """
    size = len(images) if isinstance(chunk, str) else min(int(chunk), len(images))
    if size >= len(images) and not isinstance(chunk, str):
        return network(images)
    result: torch.Tensor = _Chunked.apply(images, network, [size])  # type: ignore[no-untyped-call]
    return result


class _Chunked(torch.autograd.Function):
    """Forward without a graph; backward computes each chunk again and takes its gradient."""

    @staticmethod
    def forward(ctx: Any, images: torch.Tensor, network: Network, size: list[int]) -> torch.Tensor:
        ctx.network, ctx.size = network, size
        ctx.save_for_backward(images)
        return _halving(size, lambda most: torch.cat([network(part) for part in torch.split(images, most)]))

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (images,) = ctx.saved_tensors

        def back(most: int) -> torch.Tensor:
            found: list[torch.Tensor] = []
            for part, gradient in zip(
                torch.split(images, most), torch.split(gradients[0], most), strict=True
            ):
                leaf = part.detach().requires_grad_()
                with torch.enable_grad():
                    found.extend(torch.autograd.grad(root_of(ctx.network(leaf), gradient), leaf))
            return torch.cat(found)

        return _halving(ctx.size, back), None, None


def _halving(size: list[int], attempt: Callable[[int], torch.Tensor]) -> torch.Tensor:
    """What `attempt(size)` gives, with half the size as often as memory does not suffice."""
    while True:
        try:
            return attempt(size[0])
        except (torch.OutOfMemoryError, MemoryError):
            if size[0] == 1:
                raise
        size[0] = (size[0] + 1) // 2
