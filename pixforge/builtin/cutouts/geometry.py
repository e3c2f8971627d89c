"""Convert rectangles of a picture to the matrices that the engine samples with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Size = tuple[int, int] | tuple[float, float]


def rectangles(
    left: torch.Tensor, top: torch.Tensor, width: torch.Tensor, height: torch.Tensor, size: Size
) -> torch.Tensor:
    """Matrices `[..., 3, 3]` from the coordinates [-1, 1]^2 of a cutout to the coordinates [-1, 1]^2 of the picture.

    `size` is the picture's (width, height), in the same unit as the other arguments.
    """
    import torch

    x, y = (2 * left + width) / size[0] - 1, (2 * top + height) / size[1] - 1
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    rows = [width / size[0], zero, x, zero, height / size[1], y, zero, zero, one]
    return torch.stack(rows, dim=-1).reshape(*x.shape, 3, 3)


def squares(left: torch.Tensor, top: torch.Tensor, side: torch.Tensor, size: Size) -> torch.Tensor:
    """Like `rectangles`, with equal sides."""
    return rectangles(left, top, side, side, size)


def around_whole(like: torch.Tensor, size: tuple[int, int], margin: float = 0.0) -> torch.Tensor:
    """The smallest square around the picture, with a margin in pixels on each side; one for each element of `like`."""
    import torch

    side = max(size) + 2 * margin
    left, top, wide = (
        torch.full_like(like, each) for each in ((size[0] - side) / 2, (size[1] - side) / 2, side)
    )
    return squares(left, top, wide, size)


def smallest_side(wish: float | None, size: tuple[int, int], input_size: int) -> float:
    """The smallest side in pixels: a share `wish` of the shorter side, or by default S, limited to the shorter side."""
    return min(size) * wish if wish is not None else float(min(*size, input_size))
