"""Finding pictures, and bringing them to a perceptor's size: decoded on threads, in batches, broken ones named."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from pixforge.errors import ImageError, InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image

Fit = Literal["crop", "pad", "squash"]
FITS: tuple[Fit, ...] = ("crop", "pad", "squash")
"""`crop`: the shorter side is brought to S and the middle is cut out, as CLIP was measured. `pad`: the whole picture on a
square, its border continued, as `held_out_score` looks. `squash`: the whole picture, its sides stretched to S x S."""

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"}
)
_AHEAD = 3  # batches that are decoded while one is looked at
_LONGEST = 16
_FINE = 4  # a picture is padded at this many times S, where rounding its sides moves nothing to speak of
_DRAFT = 2  # a JPEG is decoded to at least this many times S, so that the last resampling still averages

T = TypeVar("T")


@dataclass(frozen=True)
class Batch(Generic[T]):
    """Pictures `[n, S, S, 3]` in bytes for each of the sizes asked for, whose they are, and what could not be read."""

    items: list[T]
    pixels: list[npt.NDArray[np.uint8]]
    broken: list[tuple[T, ImageError]]


def find_pictures(
    folder: str | Path, failed: Callable[[str, OSError], None] | None = None
) -> Iterator[os.DirEntry[str]]:
    """All files below a folder that are named like pictures, sorted; hidden folders and linked ones are left out.

    `failed` is told of folders that cannot be listed.
    """
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        if failed is None:
            raise InputError(f"{folder}: cannot be listed ({error.strerror})") from None
        failed(str(folder), error)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from find_pictures(entry.path, failed)
        elif Path(entry.name).suffix.lower() in SUFFIXES:
            yield entry


def expand(paths: Iterable[str | Path]) -> list[Path]:
    """Files as they are, folders as the pictures below them.

    Raises:
        InputError: one is missing, or there is no picture at all.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not os.path.lexists(path):
            raise InputError(f"{path}: there is no such file or folder")
        inside = [Path(entry.path) for entry in find_pictures(path)] if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path}: there is no picture in this folder ({', '.join(sorted(SUFFIXES))})")
        found += inside
    if not found:
        raise InputError("no picture was named")
    return list(dict.fromkeys(found))


def fitted(image: Image.Image, size: int, fit: Fit) -> npt.NDArray[np.uint8]:
    """An RGB picture as `[S, S, 3]` bytes, resampled by Pillow's antialiased bicubic filter as open_clip does it."""
    import numpy as np
    from PIL import Image

    bicubic = Image.Resampling.BICUBIC
    if fit == "squash":
        return np.asarray(image.resize((size, size), bicubic))
    if fit == "pad":
        image = _squared(_no_larger(image, _FINE * size))
        return np.asarray(image.resize((size, size), bicubic))
    image = _not_too_long(image)
    width, height = _shortest(image.size, size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return np.asarray(image.resize((width, height), bicubic).crop((left, top, left + size, top + size)))


def read_fitted(
    source: str | Path | Image.Image, sizes: Sequence[int], fit: Fit, *, draft: bool = False
) -> list[npt.NDArray[np.uint8]]:
    """A picture at each size S, `[S, S, 3]`; with `draft` JPEGs are decoded no larger than need be.

    Raises:
        ImageError: it cannot be read.
    """
    from pixforge.images import read_image

    if isinstance(source, str | Path):
        image = read_image(source, at_least=_DRAFT * max(sizes) if draft else None)
    else:
        image = source.convert("RGB")
    return [fitted(image, size, fit) for size in sizes]


def batches(
    items: Iterable[T],
    source: Callable[[T], str | Path | Image.Image],
    sizes: Sequence[int],
    fit: Fit,
    *,
    batch: int = 64,
    workers: int | None = None,
    draft: bool = False,
) -> Iterator[Batch[T]]:
    """Decode on `workers` threads (the number of processors) while the caller looks at the batch before."""

    def decode(item: T) -> list[npt.NDArray[np.uint8]] | ImageError:
        try:
            return read_fitted(source(item), sizes, fit, draft=draft)
        except ImageError as error:
            return error

    rest = iter(items)
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1, "pixforge decode")
    try:
        waiting: deque[tuple[T, Future[list[npt.NDArray[np.uint8]] | ImageError]]] = deque()
        while True:
            wanted = batch * (1 + _AHEAD) - len(waiting)
            waiting.extend((item, pool.submit(decode, item)) for item in islice(rest, wanted))
            if not waiting:
                return
            yield _collect([waiting.popleft() for _ in range(min(batch, len(waiting)))], len(sizes))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _collect(
    decoded: list[tuple[T, Future[list[npt.NDArray[np.uint8]] | ImageError]]], count: int
) -> Batch[T]:
    import numpy as np

    items: list[T] = []
    arrays: list[list[npt.NDArray[np.uint8]]] = [[] for _ in range(count)]
    broken: list[tuple[T, ImageError]] = []
    for item, future in decoded:
        result = future.result()
        if isinstance(result, ImageError):
            broken.append((item, result))
            continue
        items.append(item)
        for array, at_size in zip(arrays, result, strict=True):
            array.append(at_size)
    return Batch(items, [np.stack(array) for array in arrays] if items else [], broken)


def _shortest(size: tuple[int, int], target: int) -> tuple[int, int]:
    """The shorter side becomes `target`, the longer one is rounded down, as torchvision's Resize does it."""
    width, height = size
    if width <= height:
        return target, int(target * height / width)
    return int(target * width / height), target


def _no_larger(image: Image.Image, limit: int) -> Image.Image:
    """With its longer side at most `limit`: the square around a long picture would fill the memory."""
    from PIL import Image

    scale = limit / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    return image.resize(size, Image.Resampling.BICUBIC)


def _squared(image: Image.Image) -> Image.Image:
    """In the middle of a square, the border continued."""
    import numpy as np
    from PIL import Image

    width, height = image.size
    side = max(width, height)
    left, top = (side - width) // 2, (side - height) // 2
    around = ((top, side - height - top), (left, side - width - left), (0, 0))
    return Image.fromarray(np.pad(np.asarray(image), around, mode="edge"))


def _not_too_long(image: Image.Image) -> Image.Image:
    """The middle of what is longer than 16 to 1: brought to S as a whole, a thin line would fill the memory."""
    width, height = image.size
    longest = _LONGEST * min(width, height)
    if max(width, height) <= longest:
        return image
    across, down = min(width, longest), min(height, longest)
    left, top = (width - across) // 2, (height - down) // 2
    return image.crop((left, top, left + across, top + down))
