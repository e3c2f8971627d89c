"""The two networks of the miniature: a prior over image embeddings, and a decoder from an embedding to a latent.

Both are trained by flow matching (Lipman et al. 2022, arXiv 2210.02747): at time t the input is (1 - t) * data + t * noise,
and the network predicts noise - data, so that integrating from t = 1 to 0 leads from noise to data. An embedding of zeros
stands for "told nothing", which classifier-free guidance needs (Ho and Salimans 2022, arXiv 2207.12598).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import Tensor, nn

GROUPS = 8
"""Of the group normalizations; every number of channels must be a multiple."""
HIGHEST_FREQUENCY = 1000.0


@dataclass(frozen=True)
class PriorShape:
    """The size of a prior: `embedding` numbers in and out, `depth` blocks of `width`."""

    embedding: int = 256
    width: int = 256
    depth: int = 3


@dataclass(frozen=True)
class DecoderShape:
    """The size of a decoder: latents of `channels` x `side` x `side`, told `embedding` numbers.

    `guide` channels come in beside the latent: those of a smaller latent, for a decoder that makes it larger.
    """

    embedding: int = 256
    channels: int = 16
    side: int = 8
    width: int = 96
    told: int = 256
    heads: int = 4
    guide: int = 0


def time_features(time: Tensor, width: int) -> Tensor:
    """Cosines and sines `[B, width]` of times `[B]` in [0, 1] at frequencies from 1 to 1000."""
    half = width // 2
    steps = torch.arange(half, device=time.device) / max(1, half)
    angles = time[:, None] * HIGHEST_FREQUENCY ** (1 - steps)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class Condition(nn.Module):
    """What a network is told, `[B, width]`: the time, and an embedding or that there is none."""

    def __init__(self, embedding: int, width: int) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.told = nn.Sequential(nn.Linear(embedding, width), nn.SiLU(), nn.Linear(width, width))
        self.untold = nn.Parameter(torch.zeros(width))
        self.width = width
        self.scale = embedding**0.5
        """Makes the numbers of a unit vector about 1."""

    def forward(self, time: Tensor, embedding: Tensor) -> Tensor:
        """Times `[B]` and unit vectors `[B, D]`, or zeros where nothing is told."""
        known = (embedding != 0).any(dim=1, keepdim=True)
        about = torch.where(known, self.told(embedding * self.scale), self.untold)
        return F.silu(self.time(time_features(time, self.width)) + about)


class PriorBlock(nn.Module):
    """A residual two-layer block whose normalization is shifted and scaled by the condition."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = zeroed(nn.Linear(width, 2 * width))
        self.up, self.down = nn.Linear(width, 3 * width), nn.Linear(3 * width, width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """`[B, width]` to the same."""
        scale, shift = self.modulation(condition).chunk(2, dim=1)
        return cast("Tensor", x + self.down(F.gelu(self.up(self.norm(x) * (1 + scale) + shift))))


class Prior(nn.Module):
    """From a text's embedding to those of its pictures (Ramesh et al. 2022, arXiv 2204.06125, section 2.2).

    Its data are unit vectors times the square root of their length, so that their numbers are about 1 as noise is.
    """

    def __init__(self, shape: PriorShape) -> None:
        super().__init__()
        self.condition = Condition(shape.embedding, shape.width)
        self.first = nn.Linear(shape.embedding, shape.width)
        self.blocks = nn.ModuleList(PriorBlock(shape.width) for _ in range(shape.depth))
        self.norm = nn.LayerNorm(shape.width)
        self.last = zeroed(nn.Linear(shape.width, shape.embedding))

    def forward(self, x: Tensor, time: Tensor, embedding: Tensor) -> Tensor:
        """The velocity `[B, D]` at `x` `[B, D]` and `time` `[B]`, told the text's `embedding` `[B, D]`."""
        condition = self.condition(time, embedding)
        x = self.first(x)
        for block in self.blocks:
            x = block(x, condition)
        return cast("Tensor", self.last(self.norm(x)))


class Residual(nn.Module):
    """Two convolutions; the second normalization is shifted and scaled by the condition."""

    def __init__(self, inputs: int, outputs: int, told: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, inputs), nn.GroupNorm(GROUPS, outputs, affine=False)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = zeroed(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.modulation = nn.Linear(told, 2 * outputs)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """`[B, inputs, h, w]` to `[B, outputs, h, w]`."""
        scale, shift = self.modulation(condition)[:, :, None, None].chunk(2, dim=1)
        y = self.norm2(self.conv1(F.silu(self.norm1(x)))) * (1 + scale) + shift
        return cast("Tensor", self.skip(x) + self.conv2(F.silu(y)))


class Attention(nn.Module):
    """Self-attention over all places of a map."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm, self.heads = nn.GroupNorm(GROUPS, width), heads
        self.qkv, self.out = nn.Conv2d(width, 3 * width, 1), zeroed(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """`[B, width, h, w]` to the same."""
        batch, width, height, across = x.shape
        parts = self.qkv(self.norm(x)).view(batch, 3, self.heads, width // self.heads, height * across)
        query, key, value = parts.transpose(3, 4).unbind(1)
        seen = F.scaled_dot_product_attention(query, key, value)
        return cast("Tensor", x + self.out(seen.transpose(2, 3).reshape(batch, width, height, across)))


class Decoder(nn.Module):
    """A U-Net of two sizes over the latent of a VQGAN, told an image embedding."""

    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        width, wide, told, heads = shape.width, 2 * shape.width, shape.told, shape.heads
        self.condition = Condition(shape.embedding, told)
        self.first = nn.Conv2d(shape.channels + shape.guide, width, 3, padding=1)
        self.outer = Residual(width, width, told)
        self.down = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.inner1, self.look1 = Residual(width, wide, told), Attention(wide, heads)
        self.inner2, self.look2 = Residual(wide, wide, told), Attention(wide, heads)
        self.middle = Residual(wide, wide, told)
        self.inner3, self.look3 = Residual(2 * wide, wide, told), Attention(wide, heads)
        self.up = nn.Conv2d(wide, width, 3, padding=1)
        self.outer1, self.outer2 = Residual(2 * width, width, told), Residual(2 * width, width, told)
        self.norm = nn.GroupNorm(GROUPS, width)
        self.last = zeroed(nn.Conv2d(width, shape.channels, 3, padding=1))

    def forward(self, x: Tensor, time: Tensor, embedding: Tensor) -> Tensor:
        """The velocity `[B, C, h, w]` at the latent `x`, told an image's `embedding` `[B, D]`; h and w are even.

        A guide `[B, G, h, w]` follows in the channels of `x`.
        """
        told = self.condition(time, embedding)
        at_first = self.first(x)
        outer = self.outer(at_first, told)
        inner1 = self.look1(self.inner1(self.down(outer), told))
        inner2 = self.look2(self.inner2(inner1, told))
        y = self.middle(inner2, told)
        y = self.look3(self.inner3(torch.cat([y, inner2], dim=1), told))
        y = self.up(F.interpolate(y, scale_factor=2.0, mode="nearest"))
        y = self.outer1(torch.cat([y, outer], dim=1), told)
        y = self.outer2(torch.cat([y, at_first], dim=1), told)
        return cast("Tensor", self.last(F.silu(self.norm(y))))


def guided(network: nn.Module, small: Tensor) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The velocity of a decoder that makes latents twice as large, with the small ones `[B, C, h, w]` beside its own."""
    beside = F.interpolate(small, scale_factor=2.0, mode="nearest")

    def velocity(x: Tensor, time: Tensor, embedding: Tensor) -> Tensor:
        return cast("Tensor", network(torch.cat([x, beside.to(x)], dim=1), time, embedding))

    return velocity


def zeroed(layer: nn.Linear | nn.Conv2d) -> nn.Linear | nn.Conv2d:
    """A layer that gives zeros at first, so that a block begins as the identity."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
