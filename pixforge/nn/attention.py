"""Attention that is fast on CPUs in bfloat16, for frozen networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

FEW = 8
"""Up to this many keys per channel of a head all scores are kept; they take less memory than the MLP's activations."""
SCORES = 2**21
"""With more keys, this many scores are computed at once: 4 MiB of bfloat16."""


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, added: torch.Tensor | None = None
) -> torch.Tensor:
    """Compute softmax(q k^T / sqrt(D) + added) v for q, k and v of shape `[N, heads, L, D]`.

    In bf16 on a CPU, torch's own function takes several times as long as these products, above all for the gradient.
    With few keys the scores are kept for the backward pass; with many they are computed again, a part at a time.
    """
    if q.device.type != "cpu" or q.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=added)
    many = k.shape[2] > FEW * q.shape[-1]
    if many and (added is not None or torch.compiler.is_compiling()):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=added)
    q, k, v = (q * q.shape[-1] ** -0.5).contiguous(), k.contiguous(), v.contiguous()
    if many:
        flat = (each.flatten(0, 1) for each in (q, k, v))
        made: torch.Tensor = _Recomputed.apply(*flat)  # type: ignore[no-untyped-call]
        return made.view(*q.shape[:3], v.shape[-1])
    scores = q @ k.transpose(2, 3)
    seen: torch.Tensor = (scores if added is None else scores + added).softmax(-1) @ v
    return seen


class _Recomputed(torch.autograd.Function):
    """softmax(q k^T) v of `[B, L, D]`, `[B, S, D]` and `[B, S, E]`, never with all scores in memory at once."""

    @staticmethod
    def forward(ctx: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(q, k, v)
        made = q.new_empty(*q.shape[:2], v.shape[-1])
        for heads, rows in _parts(q, k):
            made[heads, rows] = torch.bmm(_shares(q[heads, rows], k[heads]), v[heads])
        return made

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        q, k, v = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        to_q, to_k, to_v = (
            torch.empty_like(q),
            *(torch.zeros_like(each, dtype=torch.float32) for each in (k, v)),
        )
        for heads, rows in _parts(q, k):
            shares, here = _shares(q[heads, rows], k[heads]), gradient[heads, rows]
            to_v[heads] += torch.bmm(shares.transpose(1, 2), here)
            to_shares = torch.bmm(here, v[heads].transpose(1, 2))
            scores = torch._softmax_backward_data(to_shares, shares, -1, shares.dtype)  # noqa: SLF001 - there is no public one
            to_q[heads, rows] = torch.bmm(scores, k[heads])
            to_k[heads] += torch.bmm(scores.transpose(1, 2), q[heads, rows])
        return to_q, to_k.to(k.dtype), to_v.to(v.dtype)


def _shares(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    return torch.bmm(q, k.transpose(1, 2)).softmax(-1)


def _parts(q: torch.Tensor, k: torch.Tensor) -> Iterator[tuple[slice, slice]]:
    """Yield the heads and rows whose scores are computed together: several heads, or some rows of one head."""
    (heads, rows), keys = q.shape[:2], k.shape[1]
    together = max(1, SCORES // (rows * keys))
    each = rows if together > 1 else max(1, min(rows, SCORES // keys))
    for head in range(0, heads, together):
        for row in range(0, rows, each):
            yield slice(head, head + together), slice(row, row + each)
