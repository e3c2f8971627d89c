"""Pictures from files and back; a file is hostile until it has been checked."""

from __future__ import annotations

import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import ImageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
    from PIL import Image

MAX_PIXELS = 64_000_000
MAX_BYTES = 256 * 2**20
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""What is read. Pillow knows more, of which some start other programs (EPS) or are rarely tested."""

_WORKS = "PNG, JPEG, WebP, GIF, BMP, TIFF or PPM"


def read_image(path: str | Path, at_least: int | None = None) -> Image.Image:
    """The first frame of a picture as RGB: upright, transparency over white; the content decides the format.

    With `at_least`, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as its sides keep that many pixels:
    several times faster for photographs that are only looked at small.

    Raises:
        ImageError: it is missing, not a picture, damaged, or has more than 64 megapixels or 256 MiB.
    """
    _check_file(path)
    with warnings.catch_warnings():
        # Pillow warns of bombs, odd palettes and damaged EXIF data; the size is checked here, the rest is drawn.
        warnings.simplefilter("ignore")
        return _decode(path, at_least)


def to_tensor(image: Image.Image) -> torch.Tensor:
    """An RGB picture as float32 `[3, H, W]` in [0, 1]."""
    import numpy as np
    import torch

    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div(255)


def resize(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """`[B, 3, H, W]` in [0, 1] resampled without aliasing to `size`, (width, height); the range is kept."""
    import torch.nn.functional as F  # noqa: N812 - the name that everyone knows

    width, height = size
    if images.shape[-2:] == (height, width):
        return images
    return F.interpolate(images, (height, width), mode="bicubic", antialias=True, align_corners=False).clamp(
        0, 1
    )


def to_pil(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """A picture from `[H, W, 3]` bytes."""
    from PIL import Image

    return Image.fromarray(pixels)


def _check_file(path: str | Path) -> None:
    try:
        state = Path(path).stat()
    except FileNotFoundError:
        raise ImageError(
            f"{path}: there is no such file; a relative path starts at the recipe's folder"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise ImageError(f"{path}: cannot be read ({_reason(error)})") from None
    if stat.S_ISDIR(state.st_mode):
        raise ImageError(f"{path}: is a folder; name a picture in it ({_WORKS})")
    if not stat.S_ISREG(state.st_mode):
        raise ImageError(f"{path}: is not an ordinary file; save the picture to a file ({_WORKS})")
    if state.st_size == 0:
        raise ImageError(f"{path}: is empty; save the picture again ({_WORKS})")
    if state.st_size > MAX_BYTES:
        megabytes = state.st_size // 2**20
        raise ImageError(
            f"{path}: has {megabytes} MiB, the limit is {MAX_BYTES // 2**20}; make it smaller first"
        )


def _decode(path: str | Path, at_least: int | None) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_pixels(path, image.size)
            if at_least is not None:
                image.draft(None, (at_least, at_least))
            image.load()
            return _over_white(_eight_bits(_upright(image)))
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{path}: is not a picture that can be read; save it as {_WORKS}") from None
    except Image.DecompressionBombError:
        raise _too_large(path, "far too many") from None
    except PermissionError as error:
        raise ImageError(f"{path}: cannot be read ({_reason(error)}); allow reading it, or copy it") from None
    except MemoryError:
        raise ImageError(f"{path}: is too large for this machine's memory; make it smaller first") from None
    except Exception as error:  # decoders raise anything from struct.error to IndexError on damaged data
        raise ImageError(
            f"{path}: is damaged or cut short ({_reason(error)}); save it again as {_WORKS}"
        ) from error


def _check_pixels(path: str | Path, size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise _too_large(path, f"{size[0]} x {size[1]}")


def _too_large(path: str | Path, pixels: str) -> ImageError:
    return ImageError(
        f"{path}: has {pixels} pixels, the limit is {MAX_PIXELS // 10**6} million; make it smaller first"
    )


def _upright(image: Image.Image) -> Image.Image:
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - damaged EXIF data is no reason to refuse the picture: it has no orientation
        return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pillow clips 16-bit and float pictures where it should scale them."""
    import numpy as np
    from PIL import Image

    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    highest = values.max()
    full = 1.0 if highest <= 1 and image.mode == "F" else 255.0 if image.mode == "F" else 65535.0
    return Image.fromarray((values / full * 255).clip(0, 255).round().astype(np.uint8))


def _over_white(image: Image.Image) -> Image.Image:
    from PIL import Image

    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
