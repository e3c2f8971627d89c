"""Videos and rows of numbered pictures as sources of films: frames by number, at the size of the run."""

from __future__ import annotations

import re
import tempfile
import weakref
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pixforge.errors import ImageError
from pixforge.media.files import FORMATS
from pixforge.media.images import cover, read_image, to_tensor
from pixforge.media.metadata import kind_of
from pixforge.media.video import frames
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    Frame = npt.NDArray[np.uint8]

MAX_BYTES = 4 * 2**30
_VIDEOS = ("mp4", "webm", "gif")
_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm"}


class Footage:
    """The frames that a film needs of its source, in a temporary file that goes away with this object.

    Args:
        path: an MP4, WebM or GIF; or a picture, which stands for itself and all that follow it in its folder by name.
        size: (width, height); frames are resampled to fill it.
        most: how many frames the film has; not more are read.
        rate: frames per second of the film. The source plays as fast as it did; pictures are taken one by one.
        stride: every so-manieth frame instead, however fast the source is.

    Raises:
        ImageError: the source cannot be read, or what the film needs of it would take more than 4 GiB.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], most: int, rate: float, stride: int | None = None
    ) -> None:
        import numpy as np

        self._shape = (size[1], size[0], 3)
        self._bytes = size[0] * size[1] * 3
        if most * self._bytes > MAX_BYTES:
            text = f"{most} frames of {size[0]} x {size[1]} take {most * self._bytes / 2**30:.1f} GiB"
            raise ImageError(
                f"{path}: {text}, the limit is {MAX_BYTES >> 30}; make the film shorter or smaller"
            )
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        weakref.finalize(self, self._file.close)
        self.count = 0
        with closing(_source(path, rate, stride)) as source:
            for frame in islice(source, most):
                self._file.write(np.ascontiguousarray(_fitted(frame, size)).tobytes())
                self.count += 1

    def pixels(self, number: int) -> Frame:
        """A frame as `[H, W, 3]` bytes; after the last one, the last one."""
        import numpy as np

        self._file.seek(min(max(number, 0), self.count - 1) * self._bytes)
        return np.frombuffer(self._file.read(self._bytes), np.uint8).reshape(self._shape)

    def picture(self, number: int) -> torch.Tensor:
        """A frame as `[1, 3, H, W]` in [0, 1] on the host."""
        import torch

        pixels = torch.from_numpy(self.pixels(number).copy())
        return pixels.permute(2, 0, 1).float().div_(255).unsqueeze(0)


def _source(path: Path, rate: float, stride: int | None) -> Generator[Frame, None, None]:
    if _kind(path) not in _VIDEOS:
        yield from islice(_pictures(path), 0, None, stride or 1)
        return
    with closing(frames(path, rate if stride is None else None)) as found:
        for number, frame in enumerate(found):
            if number % (stride or 1) == 0:
                yield frame[..., :3]


def _kind(path: Path) -> str | None:
    try:
        with open_ordinary(path) as file:
            return kind_of(file.read(16))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ImageError(f"{path}: cannot be read ({reason})") from None


def row_of(first: Path) -> list[Path]:
    """A picture and those that follow it in its folder; numbers in their names count as numbers. Of another file, itself."""
    if first.suffix.lower() not in _ENDINGS:
        return [first]
    begin = _order(first)
    try:
        others = [each for each in first.parent.iterdir() if each.suffix.lower() in _ENDINGS]
    except OSError:
        return [first]
    return sorted((each for each in others if _order(each) >= begin), key=_order)


def _pictures(first: Path) -> Iterator[Frame]:
    import numpy as np

    if first.suffix.lower() not in _ENDINGS:
        works = ", ".join(FORMATS)
        raise ImageError(f"{first}: is no video (MP4, WebM or GIF) and no picture ({works}) to begin with")
    for path in row_of(first):
        yield np.asarray(read_image(path))


def _order(path: Path) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isascii() and part.isdigit() else (-1, part)
        for part in re.split(r"([0-9]+)", path.name)
    ]


def _fitted(frame: Frame, size: tuple[int, int]) -> Frame:
    import torch

    if frame.shape[:2] == (size[1], size[0]):
        return frame
    from PIL import Image

    filled = cover(to_tensor(Image.fromarray(frame)).unsqueeze(0), size)[0]
    pixels: Frame = filled.mul(255).round_().to(torch.uint8).permute(1, 2, 0).numpy()
    return pixels
