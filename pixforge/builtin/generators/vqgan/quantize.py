"""The two quantizers of taming-transformers, with the parameter names of its checkpoints.

`VectorQuantizer` covers taming's `VectorQuantizer` and `VectorQuantizer2`; `GumbelQuantizer` is its `GumbelQuantize`.
Of these, the package on PyPI contains only the first.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import nn

Unknown = int | Literal["random", "extra"]
# The number of distances that are computed at once: 2^25 floats are 128 MiB.
PAIRS = 1 << 25


class Remap(nn.Module):
    """Translate code numbers for a transformer that was trained on a part of the codebook.

    `used` lists the codebook numbers that the transformer knows. `unknown` says what any other code becomes: a random
    known code (`random`), the number after the last (`extra`), or this fixed number.
    """

    used: torch.Tensor

    def __init__(self, used: torch.Tensor, unknown: Unknown) -> None:
        super().__init__()
        self.register_buffer("used", used.long())
        self.unknown = unknown

    @property
    def count(self) -> int:
        """How many different numbers the transformer uses."""
        return len(self.used) + (self.unknown == "extra")

    def to_used(self, codes: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Translate codebook numbers to the transformer's numbers; random ones are drawn from `generator`."""
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
        """Translate the transformer's numbers to codebook numbers; the extra number becomes the first used code."""
        if self.unknown == "extra":
            numbers = torch.where(numbers >= len(self.used), 0, numbers)
        return self.used[numbers]


class VectorQuantizer(nn.Module):
    """Quantize to the nearest code by Euclidean distance.

    Args:
        count: n, the number of codes.
        width: d, the length of a code.
        beta: weight of the commitment loss.
        legacy: keep a mistake of taming's first version, where beta weighs the codebook loss instead.
    """

    def __init__(self, count: int, width: int, beta: float = 0.25, *, legacy: bool = True) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, width)
        self.embedding.weight.data.uniform_(-1 / count, 1 / count)
        self.beta = beta
        self.legacy = legacy

    @property
    def codebook(self) -> torch.Tensor:
        """All codes, `[n, d]`."""
        return self.embedding.weight

    def codes(self, z: torch.Tensor) -> torch.Tensor:
        """The code numbers `[B, h, w]` for the encoder's output `[B, d, h, w]`."""
        return nearest_codes(z, self.codebook)

    def entries(self, codes: torch.Tensor) -> torch.Tensor:
        """Numbers `[B, h, w]` to their codes `[B, d, h, w]`."""
        return F.embedding(codes, self.codebook).permute(0, 3, 1, 2)

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Quantize `[B, d, h, w]`: the codes (with straight-through gradients), the loss `[]`, and the numbers."""
        codes = self.codes(z)
        quantized = self.entries(codes)
        commitment, codebook = F.mse_loss(z, quantized.detach()), F.mse_loss(quantized, z.detach())
        loss = commitment + self.beta * codebook if self.legacy else codebook + self.beta * commitment
        return straight_through(z, quantized), loss, codes


class GumbelQuantizer(nn.Module):
    """Quantize to the code with the largest logit. In training, taming samples it by Gumbel-softmax instead.

    Args:
        inputs: channels of the encoder's output.
        count: n, the number of codes.
        width: d, the length of a code.
    """

    def __init__(self, inputs: int, count: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, count, 1)
        self.embed = nn.Embedding(count, width)

    @property
    def codebook(self) -> torch.Tensor:
        """All codes, `[n, d]`."""
        return self.embed.weight

    def codes(self, z: torch.Tensor) -> torch.Tensor:
        """The code numbers `[B, h, w]` for the encoder's output `[B, inputs, h, w]`."""
        logits: torch.Tensor = self.proj(z)
        return logits.argmax(dim=1)

    def entries(self, codes: torch.Tensor) -> torch.Tensor:
        """Numbers `[B, h, w]` to their codes `[B, d, h, w]`."""
        return F.embedding(codes, self.codebook).permute(0, 3, 1, 2)


def nearest_codes(z: torch.Tensor, codebook: torch.Tensor) -> torch.Tensor:
    """The numbers `[B, h, w]` of the codes in `[n, d]` that are nearest to `[B, d, h, w]`.

    Distances are computed in float32, a part of the points at a time. The term |z|^2 is left out: it is the same for
    all codes and cannot change which one is nearest.
    """
    points = z.detach().permute(0, 2, 3, 1).reshape(-1, z.shape[1]).float()
    book = codebook.detach().float()
    lengths = book.square().sum(dim=1)
    part = max(1, PAIRS // len(book))
    found = [torch.addmm(lengths, each, book.T, alpha=-2).argmin(dim=1) for each in torch.split(points, part)]
    return (found[0] if len(found) == 1 else torch.cat(found)).view(z.shape[0], *z.shape[2:])


def straight_through(z: torch.Tensor, quantized: torch.Tensor) -> torch.Tensor:
    """The value of `quantized` with the gradient of `z`."""
    return z + (quantized - z).detach()
