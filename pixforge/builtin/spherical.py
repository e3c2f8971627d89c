"""Ways between vectors along a sphere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def slerp(start: torch.Tensor, end: torch.Tensor, share: float) -> torch.Tensor:
    """From `start` to `end`, `[B, ...]` each, evenly along the arc between their directions; lengths change evenly.

    Halfway between two noises is a noise as strong as both, where a mixture is weaker (Shoemake, "Animating rotation with
    quaternion curves", 1985). Vectors that are parallel, opposite or zero are mixed.
    """
    import torch

    a, b = start.flatten(1), end.flatten(1)
    lengths = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    first, second = (each / length.clamp(min=1e-12) for each, length in zip((a, b), lengths, strict=True))
    angle = (first * second).sum(dim=1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    arc = ((1 - share) * angle).sin() * first + (share * angle).sin() * second
    length = lengths[0].lerp(lengths[1], share)
    curved = (sine > 1e-4) & (lengths[0] > 0) & (lengths[1] > 0)
    whole = torch.where(curved, arc / sine.clamp(min=1e-4) * length, a.lerp(b, share))
    return whole.view_as(start)


def leg(position: float, stops: int, *, loop: bool) -> tuple[int, int, float]:
    """Between which two stops one is, and how far, at a position from 0 to 1 of the way; a loop ends at its first stop."""
    legs = stops if loop else stops - 1
    place = min(max(position, 0.0), 1.0) * legs
    first = min(math.floor(place), legs - 1)
    return first, (first + 1) % stops, place - first
