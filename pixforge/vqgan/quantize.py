"""The two quantizers of taming-transformers, with the parameter names of its checkpoints.

`VectorQuantizer` is taming's `VectorQuantizer` and `VectorQuantizer2`, `GumbelQuantizer` its `GumbelQuantize`: the
published package has the first alone.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import nn

Unknown = int | Literal["random", "extra"]
# Distances of at most this many pairs at once: 2^25 floats are 128 MiB.
PAIRS = 1 << 25


class Remap(nn.Module):
    """A transformer may know only the codes that occur in its data: numbers of these, and numbers in the codebook.

    Codes that it does not know become `unknown`: a known one at random, one number after the last, or a fixed one.
    """

    used: torch.Tensor

    def __init__(self, used: torch.Tensor, unknown: Unknown) -> None:
        super().__init__()
        self.register_buffer("used", used.long())
        self.unknown = unknown

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return len(self.used) + (self.unknown == "extra")

    def to_used(self, codes: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Numbers in the codebook to numbers of used codes; random ones come from `generator`."""
        table, order = self.used.sort()
        place = torch.searchsorted(table, codes).clamp(max=len(table) - 1)
        known = table[place] == codes
        if self.unknown == "random":
            other = torch.randint(len(self.used), codes.shape, generator=generator, device=codes.device)
        else:
            number = len(self.used) if self.unknown == "extra" else self.unknown
            other = torch.full_like(codes, number)
        return torch.where(known, order[place], other)

    def to_all(self, numbers: torch.Tensor) -> torch.Tensor:
        """Numbers of used codes to numbers in the codebook; the extra number becomes the first used code."""
        if self.unknown == "extra":
            numbers = torch.where(numbers >= len(self.used), 0, numbers)
        return self.used[numbers]


class VectorQuantizer(nn.Module):
    """The nearest code by Euclidean distance.

    Args:
        count: n, the number of codes.
        width: d, the length of a code.
        beta: weight of the commitment loss.
        legacy: taming's first version, whose defect is kept: beta weighs the codebook's half of the loss instead.
    """

    def __init__(self, count: int, width: int, beta: float = 0.25, *, legacy: bool = True) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, width)
        self.embedding.weight.data.uniform_(-1 / count, 1 / count)
        self.beta = beta
        self.legacy = legacy

    @property
    def codebook(self) -> torch.Tensor:
        """`[n, d]`."""
        return self.embedding.weight

    def codes(self, z: torch.Tensor) -> torch.Tensor:
        """The numbers `[B, h, w]` of what the encoder says, `[B, d, h, w]`."""
        return nearest(z, self.codebook)

    def entries(self, codes: torch.Tensor) -> torch.Tensor:
        """Numbers `[B, h, w]` to their codes `[B, d, h, w]`."""
        return F.embedding(codes, self.codebook).permute(0, 3, 1, 2)

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`[B, d, h, w]` to the codes (the gradient goes straight through), the loss `[]`, and the numbers."""
        codes = self.codes(z)
        quantized = self.entries(codes)
        commitment, codebook = F.mse_loss(z, quantized.detach()), F.mse_loss(quantized, z.detach())
        loss = commitment + self.beta * codebook if self.legacy else codebook + self.beta * commitment
        return straight_through(z, quantized), loss, codes


class GumbelQuantizer(nn.Module):
    """The code of the largest logit; while training, taming draws it from Gumbel-softmax instead.

    Args:
        inputs: channels of what the encoder says.
        count: n, the number of codes.
        width: d, the length of a code.
    """

    def __init__(self, inputs: int, count: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, count, 1)
        self.embed = nn.Embedding(count, width)

    @property
    def codebook(self) -> torch.Tensor:
        """`[n, d]`."""
        return self.embed.weight

    def codes(self, z: torch.Tensor) -> torch.Tensor:
        """The numbers `[B, h, w]` of what the encoder says, `[B, inputs, h, w]`."""
        logits: torch.Tensor = self.proj(z)
        return logits.argmax(dim=1)

    def entries(self, codes: torch.Tensor) -> torch.Tensor:
        """Numbers `[B, h, w]` to their codes `[B, d, h, w]`."""
        return F.embedding(codes, self.codebook).permute(0, 3, 1, 2)


def nearest(z: torch.Tensor, codebook: torch.Tensor) -> torch.Tensor:
    """The numbers `[B, h, w]` of the codes of `[n, d]` that are nearest to `[B, d, h, w]`; in float32, in parts.

    The term |z|^2, the same for all codes, is left out: it can't change which one is nearest.
    """
    points = z.detach().permute(0, 2, 3, 1).reshape(-1, z.shape[1]).float()
    book = codebook.detach().float()
    lengths = book.square().sum(dim=1)
    part = max(1, PAIRS // len(book))
    found = [torch.addmm(lengths, each, book.T, alpha=-2).argmin(dim=1) for each in torch.split(points, part)]
    return torch.cat(found).view(z.shape[0], *z.shape[2:])


def straight_through(z: torch.Tensor, quantized: torch.Tensor) -> torch.Tensor:
    """The value of `quantized` with the gradient of `z`."""
    return z + (quantized - z).detach()
