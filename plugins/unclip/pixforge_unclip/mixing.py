"""Between embeddings, and along the difference of two texts (Ramesh et al. 2022, arXiv 2204.06125, sections 3.2, 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

PARALLEL = 1e-4
"""Radians; nearer directions, and opposite ones, have no one great circle between them that can be computed."""


def slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """From `a` (share 0) to `b` (share 1), both `[N, D]`, on the great circle; lengths change evenly.

    Between directions that are the same or opposite to numerical precision, it is the straight line.
    """
    lengths = [each.norm(dim=1, keepdim=True) for each in (a, b)]
    from_, to = normalize(a, dim=1), normalize(b, dim=1)
    angle = (from_ * to).sum(1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    turned = (((1 - share) * angle).sin() * from_ + (share * angle).sin() * to) / sine.clamp(min=PARALLEL)
    direction = torch.where(sine > PARALLEL, turned, (1 - share) * from_ + share * to)
    length: Tensor = (1 - share) * lengths[0] + share * lengths[1]
    found: Tensor = direction * length
    return found


def difference(plus: Tensor | None, minus: Tensor | None) -> Tensor:
    """The direction `[D]` from one text's embedding `[D]` to another's; a text that is not given counts as nothing."""
    parts = [part for part in (plus, None if minus is None else -minus) if part is not None]
    return normalize(torch.stack(parts).sum(0), dim=0)
