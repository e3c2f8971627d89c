"""Pictures from files and back; a file is hostile until it has been checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.media.color import to_srgb, with_facts
from pixforge.media.files import FORMATS, by_strips, opened, strips, upright

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
    from PIL import Image

__all__ = ["FORMATS", "cover", "cropped", "read_image", "resize", "to_pil", "to_tensor"]

ENOUGH = 16_000_000
"""How many pixels of a picture become numbers at most, unless a canvas asks for more: as floats they take 192 MB."""


def read_image(
    path: str | Path,
    at_least: int | None = None,
    *,
    alpha: bool = False,
    most: int | None = None,
    before: Callable[[int], None] | None = None,
) -> Image.Image:
    """The first frame of a picture as sRGB: upright, transparency over white; the content decides the format.

    A color profile in the file is heeded.

    With `at_least`, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as its sides keep that many pixels:
    several times faster for photographs that are only looked at small. With `alpha` the picture is RGBA. With `most`, a
    picture of more pixels is shrunk by a whole factor until it has no more. `before` is called with the number of pixels
    before they are decoded.

    Raises:
        ImageError: it is missing, not a picture, damaged, or has more than 64 megapixels or 256 MiB.
    """
    with opened(path, at_least, before) as image:
        plain = to_srgb(_eight_bits(image), image.info.get("icc_profile"))
        return upright(_no_more(plain.convert("RGBA") if alpha else _over_white(plain), most))


def to_tensor(image: Image.Image) -> torch.Tensor:
    """An RGB picture as float32 `[3, H, W]` in [0, 1], or an RGBA picture as `[4, H, W]`."""
    import numpy as np
    import torch

    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div_(255)


def resize(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """`[B, C, H, W]` in [0, 1] resampled without aliasing to `size`, (width, height); the range is kept."""
    import torch.nn.functional as F  # noqa: N812 - the name that everyone knows

    width, height = size
    if images.shape[-2:] == (height, width):
        return images
    return F.interpolate(images, (height, width), mode="bicubic", antialias=True, align_corners=False).clamp(
        0, 1
    )


def cover(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """`[B, C, H, W]` resampled to fill `size`, (width, height); what is too much is cut off evenly at both sides."""
    width, height = size
    return resize(cropped(images, width / height), size)


def cropped(images: torch.Tensor, ratio: float) -> torch.Tensor:
    """The largest central part of `[B, C, H, W]` whose width over height is `ratio`."""
    height, width = images.shape[-2:]
    wide, high = min(width, max(1, round(height * ratio))), min(height, max(1, round(width / ratio)))
    left, top = (width - wide) // 2, (height - high) // 2
    return images[..., top : top + high, left : left + wide]


def to_pil(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """A picture from `[H, W, 3]` or `[H, W, 4]` bytes."""
    from PIL import Image

    return Image.fromarray(pixels)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pillow clips 16-bit and float pictures where it should scale them."""
    import numpy as np

    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    full = 65535.0
    if image.mode == "F":
        highest = max(np.nan_to_num(np.asarray(strip)).max() for strip in strips(image))
        full = 1.0 if highest <= 1 else 255.0
    return with_facts(image, by_strips(image, "L", partial(_scaled, full=full)))


def _scaled(image: Image.Image, full: float) -> Image.Image:
    import numpy as np
    from PIL import Image

    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    return Image.fromarray((values / full * 255).clip(0, 255).round().astype(np.uint8))


def _no_more(image: Image.Image, most: int | None) -> Image.Image:
    """The picture with at most so many pixels: the mean of each square of them, as far as its sides allow."""
    pixels = image.width * image.height
    if most is None or pixels <= most:
        return image
    return image.reduce(min(math.ceil(math.sqrt(pixels / most)), *image.size))


def _over_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    return with_facts(image, by_strips(image, "RGB", _strip_over_white))


def _strip_over_white(image: Image.Image) -> Image.Image:
    from PIL import Image

    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
