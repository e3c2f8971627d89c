"""Attention as fast as a processor does it, for frozen networks."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, added: torch.Tensor | None = None
) -> torch.Tensor:
    """softmax(q k^T / sqrt(D) + added) v, of `[N, heads, L, D]` each.

    In bf16 on a CPU the gradient of torch's own takes several times as long as these products. They keep all scores:
    where that is more memory than both hidden activations of a transformer's MLP (4 E each), torch's own does it.
    """
    width = q.shape[-1]
    if q.device.type != "cpu" or q.dtype != torch.bfloat16 or k.shape[2] > 8 * width:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=added)
    q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    scores = (q * width**-0.5) @ k.transpose(2, 3)
    seen: torch.Tensor = (scores if added is None else scores + added).softmax(-1) @ v
    return seen
