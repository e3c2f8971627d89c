"""Drawing one code from a transformer's logits, with the usual cuts: temperature, top k, and the nucleus (top p)."""

from __future__ import annotations

from dataclasses import dataclass

import torch


def top_k(logits: torch.Tensor, count: int) -> torch.Tensor:
    """`[B, n]` with all below the `count` largest at minus infinity; ties with the last of them stay."""
    least = logits.topk(min(count, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < least, -torch.inf)


def top_p(logits: torch.Tensor, share: float) -> torch.Tensor:
    """`[B, n]` with all outside the nucleus at minus infinity (Holtzman et al. 2019).

    The nucleus is the likeliest entries in order, up to and with the one whose probability takes their sum over `share`.
    """
    ordered, order = logits.sort(dim=-1, descending=True)
    chances = ordered.softmax(dim=-1)
    outside = chances.cumsum(dim=-1) - chances > share
    return logits.masked_fill(outside.gather(-1, order.argsort(dim=-1)), -torch.inf)


def pick(chances: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """The entries `[B]` of `[B, n]` unnormalized probabilities that numbers `[B]` in [0, 1) fall on."""
    sums = chances.cumsum(dim=-1)
    total = sums[:, -1:]
    # Rounding must not reach the total: no entry lies beyond it.
    place = torch.minimum(uniform[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(sums, place, right=True).squeeze(1)


@dataclass(frozen=True)
class Choice:
    """How codes are drawn.

    Args:
        temperature: divides the logits; 0 always takes the likeliest code.
        top_k: only so many of the likeliest codes; None: all.
        top_p: only the nucleus of this share; None: all.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __call__(self, logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
        """The codes `[B]` drawn from logits `[B, n]` with numbers `[B]` in [0, 1)."""
        if self.temperature == 0:
            return logits.argmax(dim=-1)
        logits = logits.float() / self.temperature
        if self.top_k is not None:
            logits = top_k(logits, self.top_k)
        if self.top_p is not None:
            logits = top_p(logits, self.top_p)
        return pick(logits.softmax(dim=-1), uniform)
