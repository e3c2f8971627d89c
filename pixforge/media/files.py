"""Open picture files that may be hostile: every fault is an ImageError that names the file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pixforge.errors import ImageError
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 64_000_000
MAX_BYTES = 256 * 2**20
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""What is read. Pillow knows more, of which some start other programs (EPS) or are rarely tested."""
STRIP = 512
"""How many rows are converted at once, so that a large picture needs little more memory than its pixels."""

_WORKS = "PNG, JPEG, WebP, GIF, BMP, TIFF or PPM"


@contextmanager
def opened(
    path: str | Path, at_least: int | None = None, before: Callable[[int], None] | None = None
) -> Iterator[Image.Image]:
    """The first frame of a picture as the file has it, decoded; the content decides the format.

    What the caller does with it inside the `with` may fail as well: on damaged data, Pillow does.

    Args:
        path: the file.
        at_least: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, if its sides keep that many pixels.
        before: called with the number of pixels before these are decoded; may wait until there is memory for them.

    Raises:
        ImageError: it is missing, not a picture, damaged, or has more than 64 megapixels or 256 MiB.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        # Pillow warns of bombs, odd palettes and damaged EXIF data; the size is checked here, the rest is drawn.
        with warnings.catch_warnings(), _file(path) as file:
            warnings.simplefilter("ignore")
            with Image.open(file, formats=FORMATS) as image:
                _check_pixels(path, image.size)
                if at_least is not None:
                    image.draft(None, (at_least, at_least))
                if before is not None:
                    before(image.width * image.height)
                image.load()
                yield image
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{path}: is not a picture that can be read; save it as {_WORKS}") from None
    except Image.DecompressionBombError:
        raise _too_large(path, "far too many") from None
    except MemoryError:
        raise ImageError(
            f"{path}: is too large for this machine's memory; make it smaller first", passing=True
        ) from None
    except Exception as error:  # decoders raise anything from struct.error to IndexError on damaged data
        raise ImageError(
            f"{path}: is damaged or cut short ({_reason(error)}); save it again as {_WORKS}",
            passing=isinstance(error, OSError)
            and error.errno is not None,  # a disk that fails; Pillow's have no number
        ) from error


def upright(image: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation says."""
    from PIL import ExifTags, ImageOps

    try:
        if image.getexif().get(ExifTags.Base.Orientation, 1) == 1:
            return image  # Pillow would copy it, which takes long and much memory
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - damaged EXIF data is no reason to refuse the picture: it has no orientation
        return image


def by_strips(image: Image.Image, mode: str, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Convert a picture to a new one of `mode`, some rows at a time."""
    from PIL import Image

    if image.height <= STRIP:
        return convert(image)
    made = Image.new(mode, image.size)
    for number, strip in enumerate(strips(image)):
        made.paste(convert(strip), (0, number * STRIP))
    return made


def strips(image: Image.Image) -> Iterator[Image.Image]:
    """The picture in pieces of at most `STRIP` rows, from top to bottom."""
    width, height = image.size
    for top in range(0, height, STRIP):
        yield image.crop((0, top, width, min(top + STRIP, height)))


@contextmanager
def _file(path: str | Path) -> Iterator[IO[bytes]]:
    """The file, open for reading. A pipe or a device is refused before it can make the program wait."""
    try:
        file = open_ordinary(path)
    except IsADirectoryError:
        raise ImageError(f"{path}: is a folder; name a picture in it ({_WORKS})") from None
    except FileNotFoundError:
        raise ImageError(
            f"{path}: there is no such file; a relative path starts at the recipe's folder", passing=True
        ) from None
    except PermissionError as error:
        raise ImageError(
            f"{path}: cannot be read ({_reason(error)}); allow reading it, or copy it", passing=True
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise ImageError(f"{path}: cannot be read ({_reason(error)})", passing=True) from None
    with file:
        _check_size(path, os.fstat(file.fileno()).st_size)
        yield file


def _check_size(path: str | Path, size: int) -> None:
    if size == 0:
        raise ImageError(f"{path}: is empty; save the picture again ({_WORKS})")
    if size > MAX_BYTES:
        megabytes = size // 2**20
        raise ImageError(
            f"{path}: has {megabytes} MiB, the limit is {MAX_BYTES // 2**20}; make it smaller first"
        )


def _check_pixels(path: str | Path, size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise _too_large(path, f"{size[0]} x {size[1]}")


def _too_large(path: str | Path, pixels: str) -> ImageError:
    return ImageError(
        f"{path}: has {pixels} pixels, the limit is {MAX_PIXELS // 10**6} million; make it smaller first"
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
