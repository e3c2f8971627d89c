"""Random numbers for samplers that draw as much as they like: a generator for each canvas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import RunContext


def generators(context: RunContext, purpose: str) -> Sequence[torch.Generator]:
    """One for each canvas, on the CPU, so that every device draws the same."""
    return context.draws.at(purpose, device="cpu").generators
