"""The pattern of ordered dithering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pixforge.contracts.constants import constant

if TYPE_CHECKING:
    import torch


def _bayer(size: int) -> list[list[int]]:
    """Bayer's matrix of a size that is a power of 2: each number from 0 once."""
    if size == 1:
        return [[0]]
    half = _bayer(size // 2)
    return [[4 * each + more for more in pair for each in row] for pair in ((0, 2), (3, 1)) for row in half]


SIDE = 8
_PATTERN = tuple(tuple((each + 0.5) / SIDE**2 - 0.5 for each in row) for row in _bayer(SIDE))


def ordered(height: int, width: int, device: torch.device) -> torch.Tensor:
    """`[height, width]` in (-1/2, 1/2): Bayer's 8 x 8 matrix, repeated, with the mean 0."""
    pattern = constant(_PATTERN, device)
    return pattern.repeat(-(-height // SIDE), -(-width // SIDE))[:height, :width]
