"""Random numbers for samplers that draw as much as they like: a generator for each canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import RunContext

HALF = 1 << 24


def generators(context: RunContext, purpose: str) -> list[torch.Generator]:
    """One for each canvas, on the CPU; it depends on the seed of the canvas and the purpose alone."""
    import torch

    halves = context.draws.at(purpose, device="cpu").rand(2).double() * HALF
    return [torch.Generator().manual_seed(int(high) * HALF + int(low)) for high, low in halves.tolist()]
