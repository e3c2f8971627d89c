"""Which cell of a grid each pixel of a picture belongs to, for cells of several shapes."""

from __future__ import annotations

import torch

SHAPES = ("square", "brick", "hexagon", "triangle", "diamond", "knit")
_OF_CENTERS = {"hexagon", "diamond"}


def cell_map(shape: str, columns: int, rows: int, width: int, height: int) -> torch.Tensor:
    """`[height, width]`: the number of each pixel's cell, row * columns + column.

    Rows that are shifted by half a cell, and triangles, go on at the other side of the picture.
    """
    u = ((torch.arange(width, dtype=torch.float64) + 0.5) * columns / width).expand(height, width)
    v = ((torch.arange(height, dtype=torch.float64) + 0.5) * rows / height)[:, None].expand(height, width)
    if shape in _OF_CENTERS:
        return _nearest(shape, u, v, columns, rows)
    row, column = v.floor(), u.floor()
    if shape == "brick":
        column = (u + 0.5 * (row % 2)).floor()
    elif shape == "knit":
        # Each column of stitches is a row of V: its sides stand half a cell higher than its middle.
        row = (v + ((u - column) * 2 - 1).abs() / 2 - 0.25).floor()
    elif shape == "triangle":
        # A triangle has a base of two cells; its neighbor in the row stands on its head.
        across, down = u - column, v - row
        right_half = torch.where((column + row) % 2 == 0, across < 1 - down, across < down)
        column = column - right_half.double()
    return _number(row.clamp(0, rows - 1), column, columns)


def _nearest(shape: str, u: torch.Tensor, v: torch.Tensor, columns: int, rows: int) -> torch.Tensor:
    """The cell whose center is nearest, the centers of odd rows lying half a cell further left."""
    best = torch.full_like(u, torch.inf)
    found = torch.zeros_like(u, dtype=torch.int64)
    for offset in (-1, 0, 1):
        row = v.floor() + offset
        shift = 0.5 * (row % 2)
        column = (u + shift).floor()
        across, down = (u + shift - column - 0.5).abs(), (v - row - 0.5).abs()
        # A regular hexagon of width 1 has rows at the distance sqrt(3) / 2; a diamond is two rows high.
        distance = across.square() + 0.75 * down.square() if shape == "hexagon" else 2 * across + down
        distance = torch.where((row >= 0) & (row < rows), distance, torch.inf)
        nearer = distance < best
        best = torch.where(nearer, distance, best)
        found = torch.where(nearer, _number(row.clamp(0, rows - 1), column, columns), found)
    return found


def _number(row: torch.Tensor, column: torch.Tensor, columns: int) -> torch.Tensor:
    number: torch.Tensor = row.long() * columns + column.long() % columns
    return number


def filled(grid: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """`[B, C, H, W]`: the cells of a grid `[B, C, rows, columns]` in their places."""
    made: torch.Tensor = grid.flatten(2)[..., cells.flatten()]
    return made.view(*grid.shape[:2], *cells.shape)


def means(images: torch.Tensor, cells: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """`[B, C, rows, columns]`: the mean of a picture over each cell; 0.5 where a cell has no pixel."""
    flat, places = images.flatten(2), cells.flatten()
    total = flat.new_zeros(*flat.shape[:2], rows * columns).index_add_(2, places, flat)
    count = torch.bincount(places, minlength=rows * columns).to(flat)
    mean = torch.where(count > 0, total / count.clamp(min=1), 0.5)
    return mean.view(*images.shape[:2], rows, columns)
