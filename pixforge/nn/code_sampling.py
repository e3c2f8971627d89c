"""Sample one code from a transformer's logits, with temperature, top-k and nucleus (top-p) sampling."""

from __future__ import annotations

from dataclasses import dataclass

import torch


def top_k(logits: torch.Tensor, count: int) -> torch.Tensor:
    """Set all logits `[B, n]` but the `count` largest to minus infinity; those equal to the smallest kept one stay."""
    least = logits.topk(min(count, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < least, -torch.inf)


def top_p(logits: torch.Tensor, share: float) -> torch.Tensor:
    """Set all logits `[B, n]` outside the nucleus to minus infinity (Holtzman et al. 2019).

    The nucleus is the smallest set of most probable entries whose probabilities sum to more than `share`.
    """
    ordered, order = logits.sort(dim=-1, descending=True)
    chances = ordered.softmax(dim=-1)
    outside = chances.cumsum(dim=-1) - chances > share
    return logits.masked_fill(outside.gather(-1, order.argsort(dim=-1)), -torch.inf)


def pick(chances: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """Draw one entry `[B]` from unnormalized probabilities `[B, n]`, with uniform numbers `[B]` in [0, 1)."""
    sums = chances.cumsum(dim=-1)
    total = sums[:, -1:]
    # The product may round up to the total, for which the search would return n; stay just below it.
    place = torch.minimum(uniform[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(sums, place, right=True).squeeze(1)


@dataclass(frozen=True)
class Choice:
    """How codes are drawn.

    Args:
        temperature: divides the logits; 0 always takes the most probable code.
        top_k: keep only this many of the most probable codes; None keeps all.
        top_p: keep only the nucleus with this total probability; None keeps all.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __call__(self, logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
        """Draw codes `[B]` from logits `[B, n]` with uniform numbers `[B]` in [0, 1)."""
        if self.temperature == 0:
            return logits.argmax(dim=-1)
        logits = logits.float() / self.temperature
        if self.top_k is not None:
            logits = top_k(logits, self.top_k)
        if self.top_p is not None:
            logits = top_p(logits, self.top_p)
        return pick(logits.softmax(dim=-1), uniform)
