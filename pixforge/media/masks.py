"""Masks from picture files: one number in [0, 1] for each pixel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.media.files import opened, upright

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
    from PIL import Image

_NEARLY = 1e-5
"""How far resampling may miss 0 or 1 by rounding. A mask must reach both, since nothing may change outside of it."""


def read_mask(path: str | Path, size: tuple[int, int]) -> torch.Tensor:
    """Read a mask and resample it without aliasing to `size`, (width, height): float32 `[1, H, W]` in [0, 1].

    The alpha channel counts if the file has one in which something is not opaque, otherwise the gray value: white
    is 1. 16-bit gray has the range to 65535. 32-bit and float gray has the smallest range of 1, 255, 65535 and
    2^31 - 1 that holds its values, since these formats do not tell.

    Raises:
        ImageError: it is missing, not a picture, damaged, or too large.
    """
    import torch
    import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

    with opened(path) as image:
        levels = _levels(upright(image))
    mask = torch.from_numpy(levels)[None, None]
    if mask.shape[-2:] != (size[1], size[0]):
        # Not bicubic, which would make light and dark seams along the edges.
        mask = F.interpolate(mask, (size[1], size[0]), mode="bilinear", antialias=True, align_corners=False)
    mask[mask < _NEARLY] = 0
    mask[mask > 1 - _NEARLY] = 1
    return mask[0]


def _levels(image: Image.Image) -> npt.NDArray[np.float32]:
    """`[H, W]` in [0, 1]."""
    import numpy as np

    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        if alpha.min() < 255:
            return alpha.astype(np.float32) / np.float32(255)
    if image.mode == "F" or image.mode.startswith("I"):
        values = np.array(image, dtype=np.float32)
        np.nan_to_num(values, copy=False, posinf=0, neginf=0)
        full = 65535.0 if image.mode.startswith("I;16") else _range(float(values.max()))
        values /= np.float32(full)
        return values.clip(0, 1, out=values)
    return np.asarray(image.convert("L"), dtype=np.float32) / np.float32(255)


def _range(highest: float) -> float:
    return next((full for full in (1.0, 255.0, 65535.0) if highest <= full), 2.0**31 - 1)
