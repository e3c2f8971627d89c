"""The two halves of DALL-E mini: an encoder of text tokens, and a decoder that says image codes one after the other.

A BART (Lewis et al. 2019) with gated linear units (Shazeer 2020) and normalization before and behind each attention. The
names of the tensors are those of min-dalle's files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import nn

from pixforge.errors import WeightsError

HEAD = 64
"""Channels of an attention head, in mini and mega alike."""
PADDING = 1
"""The text token that fills up; it is not attended to."""


@dataclass(frozen=True)
class Shape:
    """The sizes of an encoder or a decoder.

    Args:
        tokens: number of tokens that it can read.
        length: the longest sequence.
        width: channels.
        middle: channels inside the gated units.
        layers: number of layers.
    """

    tokens: int
    length: int
    width: int
    middle: int
    layers: int


class Gated(nn.Module):
    """The feed-forward part: one product of the input opens and closes the other."""

    def __init__(self, width: int, middle: int) -> None:
        super().__init__()
        self.ln0, self.ln1 = nn.LayerNorm(width), nn.LayerNorm(middle)
        self.fc0 = nn.Linear(width, middle, bias=False)
        self.fc1 = nn.Linear(width, middle, bias=False)
        self.fc2 = nn.Linear(middle, width, bias=False)

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """`[B, t, width]` to the same."""
        normal = self.ln0(stream)
        result: torch.Tensor = self.fc2(self.ln1(F.gelu(self.fc0(normal)) * self.fc1(normal)))
        return result


class Attention(nn.Module):
    """Attention in parts, so that keys and values can be kept."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.k_proj, self.v_proj, self.q_proj, self.out_proj = (
            nn.Linear(width, width, bias=False) for _ in range(4)
        )

    def keys_values(self, stream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of `[B, t, width]`, each `[B, heads, t, HEAD]`."""
        return _heads(self.k_proj(stream)), _heads(self.v_proj(stream))

    def forward(
        self, stream: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """What `[B, t, width]` finds in keys and values `[B, heads, T, HEAD]`; `mask` is false where it must not look."""
        seen = F.scaled_dot_product_attention(_heads(self.q_proj(stream)), keys, values, attn_mask=mask)
        result: torch.Tensor = self.out_proj(seen.transpose(1, 2).flatten(2))
        return result


def _heads(stream: torch.Tensor) -> torch.Tensor:
    return stream.view(*stream.shape[:2], -1, HEAD).transpose(1, 2)


class EncoderLayer(nn.Module):
    """Attention over the text, then the gated unit."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.pre_self_attn_layer_norm = nn.LayerNorm(shape.width)
        self.self_attn = Attention(shape.width)
        self.self_attn_layer_norm = nn.LayerNorm(shape.width)
        self.glu = Gated(shape.width, shape.middle)

    def forward(self, stream: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """`[B, t, width]` to the same."""
        normal = self.pre_self_attn_layer_norm(stream)
        seen = self.self_attn(normal, *self.self_attn.keys_values(normal), mask)
        stream = stream + self.self_attn_layer_norm(seen)
        result: torch.Tensor = stream + self.glu(stream)
        return result


class TextEncoder(nn.Module):
    """Text tokens `[B, t]` to what the decoder reads, `[B, t, width]`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.tokens, shape.width)
        self.embed_positions = nn.Embedding(shape.length, shape.width)
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.layers))
        self.layernorm_embedding, self.final_ln = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Read tokens `[B, length]`; those that fill up are not attended to."""
        mask = (tokens != PADDING)[:, None, None, :]
        stream = self.layernorm_embedding(self.embed_tokens(tokens) + self.embed_positions.weight)
        for layer in self.layers:
            stream = layer(stream, mask)
        result: torch.Tensor = self.final_ln(stream)
        return result


class DecoderLayer(nn.Module):
    """Attention over the codes so far, attention over the text, then the gated unit."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.pre_self_attn_layer_norm = nn.LayerNorm(shape.width)
        self.self_attn = Attention(shape.width)
        self.self_attn_layer_norm = nn.LayerNorm(shape.width)
        self.pre_encoder_attn_layer_norm = nn.LayerNorm(shape.width)
        self.encoder_attn = Attention(shape.width)
        self.encoder_attn_layer_norm = nn.LayerNorm(shape.width)
        self.glu = Gated(shape.width, shape.middle)


class CodeDecoder(nn.Module):
    """Says the logits of each code, given the text and the codes before it."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.tokens, shape.width)
        self.embed_positions = nn.Embedding(shape.length, shape.width)
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.layers))
        self.layernorm_embedding, self.final_ln = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.lm_head = nn.Linear(shape.width, shape.tokens, bias=False)


class Reader:
    """Runs a decoder in pieces, and keeps the keys and values of every layer.

    Args:
        decoder: the network.
        told: what the text's encoder said, `[B, t, width]`.
        mask: true for the text's own tokens, `[B, t]`.
    """

    def __init__(self, decoder: CodeDecoder, told: torch.Tensor, mask: torch.Tensor) -> None:
        self._decoder, self._mask, self._seen = decoder, mask[:, None, None, :], 0
        shape = decoder.shape
        size = (shape.layers, len(told), shape.width // HEAD, shape.length, HEAD)
        self._keys, self._values = told.new_zeros(size), told.new_zeros(size)
        self._told = [_layer(each).encoder_attn.keys_values(told) for each in decoder.layers]

    def read(self, tokens: torch.Tensor) -> torch.Tensor:
        """Read more tokens `[B, t]` and return the logits `[B, t, tokens]` of what follows each of them."""
        decoder, begin, end = self._decoder, self._seen, self._seen + tokens.shape[1]
        stream = decoder.embed_tokens(tokens) + decoder.embed_positions.weight[begin:end]
        stream = decoder.layernorm_embedding(stream)
        for index, each in enumerate(decoder.layers):
            layer = _layer(each)
            normal = layer.pre_self_attn_layer_norm(stream)
            keys, values = layer.self_attn.keys_values(normal)
            self._keys[index, :, :, begin:end], self._values[index, :, :, begin:end] = keys, values
            known = self._keys[index, :, :, :end], self._values[index, :, :, :end]
            seen = layer.self_attn(normal, *known, _before(begin, end, stream.device))
            stream = stream + layer.self_attn_layer_norm(seen)
            normal = layer.pre_encoder_attn_layer_norm(stream)
            seen = layer.encoder_attn(normal, *self._told[index], self._mask)
            stream = stream + layer.encoder_attn_layer_norm(seen)
            stream = stream + layer.glu(stream)
        self._seen = end
        logits: torch.Tensor = decoder.lm_head(decoder.final_ln(stream))
        return logits.float()


def _layer(each: nn.Module) -> DecoderLayer:
    assert isinstance(each, DecoderLayer)
    return each


def _before(begin: int, end: int, device: torch.device) -> torch.Tensor | None:
    """Which of the tokens up to `end` each token from `begin` on may look at; None for a single one, which sees all."""
    if end - begin == 1:
        return None
    return torch.ones(end - begin, end, dtype=torch.bool, device=device).tril(begin)


def shape_of(tensors: Mapping[str, torch.Tensor]) -> Shape:
    """The sizes of a network, as its tensors tell.

    Raises:
        WeightsError: one is missing, or has another number of dimensions.
    """
    try:
        tokens, width = tensors["embed_tokens.weight"].shape
        length, _ = tensors["embed_positions.weight"].shape
        middle, _ = tensors["layers.0.glu.fc0.weight"].shape
    except (KeyError, ValueError) as error:
        raise WeightsError(f"it is no part of DALL-E mini ({error})") from error
    if width % HEAD:
        raise WeightsError(f"its width is {width}, no multiple of {HEAD}")
    layers = sum(name.startswith("layers.") and name.endswith(".glu.fc0.weight") for name in tensors)
    return Shape(tokens, length, width, middle, layers)
