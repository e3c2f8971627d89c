"""Run taming-transformers' GPT token by token with a cache of keys and values."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses


class Reader:
    """Reads a sequence in pieces and keeps the keys and values of every block.

    The result equals the GPT's own forward pass without dropout. The first `n_unmasked` tokens must come in one piece,
    because they attend to each other in both directions.

    Args:
        transformer: a `taming.modules.transformer.mingpt.GPT`.
        batch: B.
        length: the largest number of tokens that will be read, at most the GPT's block size.
    """

    def __init__(self, transformer: Any, batch: int, length: int) -> None:
        self._transformer = transformer
        config, like = transformer.config, transformer.pos_emb
        shape = (config.n_layer, batch, config.n_head, length, config.n_embd // config.n_head)
        self._keys, self._values = like.new_empty(shape), like.new_empty(shape)
        self._seen = 0

    def read(self, tokens: torch.Tensor) -> torch.Tensor:
        """Read more tokens `[B, t]` and return the logits `[B, vocabulary]` of the next token."""
        gpt = self._transformer
        end = self._seen + tokens.shape[1]
        hidden = gpt.tok_emb(tokens) + gpt.pos_emb[:, self._seen : end]
        for index, block in enumerate(gpt.blocks):
            hidden = hidden + self._attended(block.attn, block.ln1(hidden), index)
            hidden = hidden + block.mlp(block.ln2(hidden))
        self._seen = end
        logits: torch.Tensor = gpt.head(gpt.ln_f(hidden[:, -1]))
        return logits

    def _attended(self, attention: Any, hidden: torch.Tensor, index: int) -> torch.Tensor:
        begin, end = self._seen, self._seen + hidden.shape[1]
        keys, values = self._keys[index], self._values[index]
        keys[:, :, begin:end] = self._heads(attention.key(hidden))
        values[:, :, begin:end] = self._heads(attention.value(hidden))
        # A single new token attends to all tokens, so it needs no mask.
        mask = None if end - begin == 1 else attention.mask[:, :, begin:end, :end] != 0
        query = self._heads(attention.query(hidden))
        seen = F.scaled_dot_product_attention(query, keys[:, :, :end], values[:, :, :end], attn_mask=mask)
        mixed: torch.Tensor = attention.proj(seen.transpose(1, 2).flatten(2))
        return mixed

    def _heads(self, hidden: torch.Tensor) -> torch.Tensor:
        """`[B, t, heads * d]` to `[B, heads, t, d]`."""
        batch, length, _ = hidden.shape
        return hidden.view(batch, length, self._keys.shape[2], -1).transpose(1, 2)
