"""Small constant tensors that are copied to a device only once, since copies in every step would make a GPU wait."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Numbers = tuple[float, ...] | tuple[tuple[float, ...], ...]


def constant(values: Sequence[float] | Sequence[Sequence[float]], device: torch.device) -> torch.Tensor:
    """A float32 tensor of these numbers on a device. It is shared, so do not change it in place."""
    rows = tuple(row if isinstance(row, int | float) else tuple(row) for row in values)
    return _copied(rows, device)


@lru_cache(maxsize=256)
def _copied(values: Numbers, device: torch.device) -> torch.Tensor:
    import torch

    return torch.tensor(values, device=device)


def forget_constants() -> None:
    """Forget all constants, so that none made as a fake tensor is used outside the memory estimate."""
    _copied.cache_clear()
