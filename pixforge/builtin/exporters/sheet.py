"""Several canvases in one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def sheet(pixels: npt.NDArray[np.uint8], *, even: bool) -> npt.NDArray[np.uint8]:
    """`[B, H, W, C]` as one near-square sheet `[H', W', C]`; `even` repeats the last row and column where needed."""
    import numpy as np

    count, height, width, channels = pixels.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    grid = np.zeros((rows * columns, height, width, channels), np.uint8)
    grid[:count] = pixels
    grid = grid.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    grid = grid.reshape(rows * height, columns * width, channels)
    if even and (grid.shape[0] % 2 or grid.shape[1] % 2):
        grid = np.pad(grid, ((0, grid.shape[0] % 2), (0, grid.shape[1] % 2), (0, 0)), mode="edge")
    return grid
