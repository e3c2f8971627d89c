"""Pictures whose values are numbers rather than colors: maps of classes and of depth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import ImageError
from pixforge.media.files import opened, upright

if TYPE_CHECKING:
    import torch
    from PIL import Image

_NUMBERS = ("1", "L", "P", "I", "F")
_LARGEST = 2**24
"""Above, float32 does not hold every whole number."""


def read_classes(path: str | Path) -> torch.Tensor:
    """Read a map of classes: float32 `[1, H, W]` of whole numbers, as the file has them.

    Gray values of 1, 8, 16 or 32 bits and the numbers of a palette's colors are class numbers.

    Raises:
        ImageError: it cannot be read, has colors, or a value is no class number.
    """
    import numpy as np
    import torch

    with opened(path) as image:
        values = np.array(upright(_as_gray(path, image)), dtype=np.float32)
    if not (values.min() >= 0 and values.max() < _LARGEST):  # not, since one of them may be NaN
        raise ImageError(f"{path}: its values are no class numbers; they must be 0, 1, 2 and so on")
    if not all(np.array_equal(row, np.rint(row)) for row in values):
        raise ImageError(f"{path}: its values are no class numbers; they must be whole")
    return torch.from_numpy(values)[None]


def read_depth(path: str | Path) -> torch.Tensor:
    """Read a map of depth: float32 `[C, H, W]` in [0, 1], C is 1 or 3.

    16-bit gray is divided by 65535; 32-bit and float gray is stretched to [0, 1], since its range is not known.

    Raises:
        ImageError: it cannot be read, or all of it is not finite.
    """
    import numpy as np
    import torch

    from pixforge.media.images import ENOUGH, read_image, to_tensor

    with opened(path) as image:
        if not (image.mode.startswith("I") or image.mode == "F"):
            values, sixteen = None, False
        else:
            sixteen = image.mode.startswith("I;16")
            values = np.array(upright(image), dtype=np.float32)
    if values is None:
        return to_tensor(read_image(path, most=ENOUGH))
    if sixteen:
        values /= np.float32(65535)
        return torch.from_numpy(values)[None]
    finite = np.isfinite(values)
    if not finite.any():
        raise ImageError(f"{path}: none of its values is a finite number")
    low = values.min(where=finite, initial=np.inf)
    high = values.max(where=finite, initial=-np.inf)
    # In place, since a map may be large.
    values.clip(low, high, out=values)
    values -= low
    values /= max(high - low, np.finfo(np.float32).tiny)
    return torch.from_numpy(np.nan_to_num(values, copy=False, nan=0.0))[None]


def _as_gray(path: str | Path, image: Image.Image) -> Image.Image:
    """The picture as one channel of numbers; colors that are all gray count as gray."""
    if image.mode in _NUMBERS or image.mode.startswith("I;16"):
        return image
    bands = image.convert("RGB").split()
    if any(band.tobytes() != bands[0].tobytes() for band in bands[1:]):
        raise ImageError(f"{path}: a map of classes must be gray or have a palette; it has colors")
    return bands[0]
