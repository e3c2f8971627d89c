"""Find pictures, decode them on threads, and resize them to a perceptor's input, in batches."""

from __future__ import annotations

import os
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from pixforge.errors import ImageError, InputError
from pixforge.media.files import MAX_PIXELS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image

Fit = Literal["crop", "pad", "squash"]
FITS: tuple[Fit, ...] = ("crop", "pad", "squash")
"""How a picture becomes a square of side S. `crop`: resize the shorter side to S and take the middle, as CLIP's paper
does. `pad`: extend the picture to a square by repeating its border, as `held_out_score` does. `squash`: resize both
sides to S, whatever their ratio."""

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"}
)
_AHEAD = 3  # batches that are decoded ahead of the one that the caller works on
_LONGEST = 16
_FINE = 4  # padding happens at this multiple of S, where rounding the sides to whole pixels hardly matters
_DRAFT = (
    2  # a JPEG is decoded to at least this multiple of S, so that the last resizing still averages pixels
)

T = TypeVar("T")


class _Room:
    """Memory for pictures that threads decode at the same time: they wait while others hold `MAX_PIXELS` together."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held = 0

    @contextmanager
    def turn(self) -> Iterator[Callable[[int], None]]:
        """Gives a function that waits until there is room for so many pixels; they are held until the end."""
        mine: list[int] = []
        try:
            yield lambda count: self._take(count, mine)
        finally:
            with self._changed:
                self._held -= sum(mine)
                self._changed.notify_all()

    def _take(self, count: int, mine: list[int]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + count <= MAX_PIXELS)
            self._held += count
            mine.append(count)


@dataclass(frozen=True)
class Batch(Generic[T]):
    """Decoded pictures: for each requested size S an array `[n, S, S, 3]` of bytes.

    `items` are the n pictures in the same order; `broken` are those that could not be read, with the error.
    """

    items: list[T]
    pixels: list[npt.NDArray[np.uint8]]
    broken: list[tuple[T, ImageError]]


def find_pictures(
    folder: str | Path, failed: Callable[[str, OSError], None] | None = None
) -> Iterator[os.DirEntry[str]]:
    """All files below a folder with a picture's suffix, sorted by name.

    Hidden entries, linked folders, pipes and devices are left out.

    `failed` is called for each folder that cannot be listed.

    Raises:
        InputError: a folder cannot be listed, and `failed` is None.
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
        elif Path(entry.name).suffix.lower() in SUFFIXES and _is_file(entry):
            yield entry


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is no pipe and no device, whose reading may not end; a link that leads nowhere is named later."""
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return True


def expand(paths: Iterable[str | Path]) -> list[Path]:
    """Replace each folder in `paths` by the pictures below it; files stay, and each path is returned once.

    Raises:
        InputError: a path is missing, a folder holds no picture, or `paths` is empty.
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
    """Resize an RGB picture to `[S, S, 3]` bytes with Pillow's antialiased bicubic filter, as open_clip does."""
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
    source: str | Path | Image.Image,
    sizes: Sequence[int],
    fit: Fit,
    *,
    draft: bool = False,
    before: Callable[[int], None] | None = None,
) -> list[npt.NDArray[np.uint8]]:
    """A picture at each size S, `[S, S, 3]` bytes; with `draft`, JPEGs are decoded at a reduced size to save time.

    `before` is called with the number of pixels before they are decoded.

    Raises:
        ImageError: the picture cannot be read.
    """
    from pixforge.media.images import read_image

    if isinstance(source, str | Path):
        image = read_image(source, at_least=_DRAFT * max(sizes) if draft else None, before=before)
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
    """Decode on `workers` threads (default: one for each processor) while the caller works on the batch before.

    Large pictures wait for each other, so that memory does not grow with the number of threads.
    """
    room = _Room()

    def decode(item: T) -> list[npt.NDArray[np.uint8]] | ImageError:
        try:
            with room.turn() as take:
                return read_fitted(source(item), sizes, fit, draft=draft, before=take)
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
    """The size whose shorter side is `target`; the longer side is rounded down, as torchvision's Resize does."""
    width, height = size
    if width <= height:
        return target, int(target * height / width)
    return int(target * width / height), target


def _no_larger(image: Image.Image, limit: int) -> Image.Image:
    """Shrink a picture to a longer side of at most `limit`, so that the square around a long one fits the memory."""
    from PIL import Image

    scale = limit / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    return image.resize(size, Image.Resampling.BICUBIC)


def _squared(image: Image.Image) -> Image.Image:
    """Put a picture in the middle of a square and repeat its border around it."""
    import numpy as np
    from PIL import Image

    width, height = image.size
    side = max(width, height)
    left, top = (side - width) // 2, (side - height) // 2
    around = ((top, side - height - top), (left, side - width - left), (0, 0))
    return Image.fromarray(np.pad(np.asarray(image), around, mode="edge"))


def _not_too_long(image: Image.Image) -> Image.Image:
    """Cut a picture longer than 16 to 1 to its middle; resized to a shorter side of S, it would fill the memory."""
    width, height = image.size
    longest = _LONGEST * min(width, height)
    if max(width, height) <= longest:
        return image
    across, down = min(width, longest), min(height, longest)
    left, top = (width - across) // 2, (height - down) // 2
    return image.crop((left, top, left + across, top + down))
