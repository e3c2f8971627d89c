"""A small, plain transformer over one sequence of text tokens and image codes (Ramesh et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import nn


@dataclass(frozen=True)
class Shape:
    """The sizes of a model.

    Args:
        text_vocabulary: number of text tokens; token 0 is the padding of open_clip's tokenizers.
        text_length: number of text tokens before the codes.
        codes: size of the codebook.
        rows: rows of codes in a picture.
        columns: columns of codes in a picture.
        width: channels of the sequence; a multiple of `heads`.
        layers: number of blocks.
        heads: number of attention heads.
        sentence: length of a perceptor's embedding of the whole text, which is added to every text token; 0: none.
    """

    text_vocabulary: int
    text_length: int
    codes: int
    rows: int
    columns: int
    width: int
    layers: int
    heads: int
    sentence: int = 0

    @property
    def count(self) -> int:
        """The number of codes in a picture."""
        return self.rows * self.columns


class Block(nn.Module):
    """A transformer block with pre-normalization: attention, then an MLP four times as wide, both residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.norm_layer = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def heads_of(self, stream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The queries, keys and values of `[B, T, width]`, each `[B, heads, T, width / heads]`."""
        batch, length, _ = stream.shape
        parts = self.query_key_value(self.norm_attention(stream)).view(batch, length, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        return query, key, value

    def after(self, stream: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Finish the block: add the attention's result `[B, heads, T, width / heads]`, then the MLP's."""
        stream = stream + self.mixed(seen.transpose(1, 2).flatten(2))
        widened = F.gelu(self.wide(self.norm_layer(stream)))
        result: torch.Tensor = stream + self.narrow(widened)
        return result

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """`[B, T, width]` to the same shape, with causal attention."""
        query, key, value = self.heads_of(stream)
        return self.after(stream, F.scaled_dot_product_attention(query, key, value, is_causal=True))


class TextToCodes(nn.Module):
    """Predicts the logits of each code, given the text and the codes before it.

    Codes come in reading order. The embedding of the codes is also the weight of the output layer.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.text = nn.Embedding(shape.text_vocabulary, shape.width)
        self.text_place = nn.Parameter(torch.zeros(shape.text_length, shape.width))
        if shape.sentence:
            self.sentence = nn.Linear(shape.sentence, shape.width, bias=False)
        self.code = nn.Embedding(shape.codes, shape.width)
        self.row = nn.Parameter(torch.zeros(shape.rows, 1, shape.width))
        self.column = nn.Parameter(torch.zeros(1, shape.columns, shape.width))
        self.blocks = nn.ModuleList(Block(shape.width, shape.heads) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        self.bias = nn.Parameter(torch.zeros(shape.codes))

    def initialize(self) -> None:
        """Set random weights for training, with the standard deviations of GPT-2 (Radford et al. 2019)."""
        for name, each in self.named_parameters():
            if each.ndim > 1:
                deep = name.endswith(("mixed.weight", "narrow.weight"))
                nn.init.normal_(each, std=0.02 / (2 * self.shape.layers) ** 0.5 if deep else 0.02)

    def text_stream(self, text: torch.Tensor, sentence: torch.Tensor | None = None) -> torch.Tensor:
        """Embed text tokens `[B, text_length]` and add the text's embedding: `[B, text_length, width]`."""
        result: torch.Tensor = self.text(text) + self.text_place
        return result if sentence is None else result + self.sentence(sentence).unsqueeze(1)

    def code_stream(self, codes: torch.Tensor, first: int = 0) -> torch.Tensor:
        """Embed codes `[B, n]`, the first of which is number `first` of the picture: `[B, n, width]`."""
        places = (self.row + self.column).flatten(0, 1)
        result: torch.Tensor = self.code(codes) + places[first : first + codes.shape[1]]
        return result

    def logits(self, stream: torch.Tensor) -> torch.Tensor:
        """The logits `[..., codes]` of the sequence `[..., width]`."""
        return F.linear(self.norm(stream), self.code.weight, self.bias)

    def forward(
        self, text: torch.Tensor, codes: torch.Tensor, sentence: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The logits `[B, n, codes]` for codes `[B, n]`, with the text and `sentence` as in `text_stream`."""
        stream = torch.cat((self.text_stream(text, sentence), self.code_stream(codes[:, :-1])), dim=1)
        for block in self.blocks:
            stream = block(stream)
        return self.logits(stream[:, self.shape.text_length - 1 :])
