"""Pictures and videos side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain, repeat
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.errors import InputError
from pixforge.media.files import MAX_PIXELS
from pixforge.media.images import read_image
from pixforge.media.metadata import kind_of
from pixforge.media.video import frames, rate_of
from pixforge.ordinary_files import open_ordinary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image

    Frame = npt.NDArray[np.uint8]

MOST_VIDEOS = 64
"""Each is read by an ffmpeg of its own."""
_FPS = 24.0
_LABEL = 20


@dataclass(frozen=True)
class Layout:
    """How they stand: columns, width of each, pixels between them, and labels. None: what fits."""

    columns: int | None = None
    width: int | None = None
    gap: int = 0
    labels: Sequence[str] | None = None


class _Page:
    """A white page with room for so many pictures of the shape of the first one."""

    def __init__(self, count: int, first: Image.Image, layout: Layout) -> None:
        self.columns = min(layout.columns or ceil(sqrt(count)), count)
        self.width = layout.width or first.width
        self.height = max(1, round(first.height * self.width / first.width))
        self.layout = layout
        below = _LABEL if layout.labels else 0
        self.step = self.width + layout.gap, self.height + below + layout.gap
        rows = ceil(count / self.columns)
        self.size = self.columns * self.step[0] + layout.gap, rows * self.step[1] + layout.gap
        if self.size[0] * self.size[1] > MAX_PIXELS:
            text = f"{self.size[0]} x {self.size[1]} pixels, the limit is {MAX_PIXELS // 10**6} million"
            raise InputError(f"the collage would have {text}; choose a smaller --width")

    def drawn(self, pictures: Sequence[Image.Image]) -> Image.Image:
        """The pictures in their places, each shrunk or enlarged to fit into its own."""
        from PIL import Image, ImageDraw, ImageFont

        page = Image.new("RGB", self.size, "white")
        pen, font = ImageDraw.Draw(page), ImageFont.load_default(12)
        for index, picture in enumerate(pictures):
            left = self.layout.gap + index % self.columns * self.step[0]
            top = self.layout.gap + index // self.columns * self.step[1]
            factor = min(self.width / picture.width, self.height / picture.height)
            size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
            fitted = picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
            page.paste(fitted, (left + (self.width - size[0]) // 2, top + (self.height - size[1]) // 2))
            if self.layout.labels:
                text = self.layout.labels[index].encode("latin-1", "replace").decode("latin-1")
                while len(text) > 1 and font.getlength(text) > self.width:
                    text = text[:-1]
                pen.text((left, top + self.height + 3), text, "black", font)
        return page


def still_collage(paths: Sequence[Path], layout: Layout) -> Image.Image:
    """Pictures, and the last frames of videos, on one page.

    Raises:
        ImageError: a file cannot be read.
        InputError: the page would be too large.
    """
    pictures = [_last(path) if _moves(path) else read_image(path) for path in paths]
    return _Page(len(paths), pictures[0], layout).drawn(pictures)


def moving_collage(paths: Sequence[Path], layout: Layout, fps: float | None) -> tuple[Iterator[Frame], float]:
    """Frames `[H, W, 3]` of a page on which videos play, and their rate. Pictures stay, as do videos at their ends.

    Raises:
        ImageError: a file cannot be read.
        InputError: none is a video, they are too many, or the page would be too large.
    """
    videos = [path for path in paths if _moves(path)]
    if not videos:
        raise InputError(
            "a video needs at least one video among the files; for pictures, make a .png or .jpg"
        )
    if len(videos) > MOST_VIDEOS:
        raise InputError(f"{len(videos)} videos are too many for one collage; at most {MOST_VIDEOS}")
    rate = fps or rate_of(videos[0]) or _FPS
    return _frames(paths, layout, rate), rate


def _frames(paths: Sequence[Path], layout: Layout, rate: float) -> Iterator[Frame]:
    import numpy as np
    from PIL import Image

    with ExitStack() as stack:
        streams: list[Iterator[Any]] = []
        now: list[Image.Image] = []
        for path in paths:
            if _moves(path):
                found = stack.enter_context(closing(frames(path, rate)))
                now.append(Image.fromarray(next(found)).convert("RGB"))
                streams.append(chain(found, repeat(None)))
            else:
                now.append(read_image(path))
                streams.append(repeat(None))
        page = _Page(len(paths), now[0], layout)
        while True:
            yield np.asarray(page.drawn(now))
            new = [next(stream) for stream in streams]
            if all(each is None for each in new):
                return
            now = [
                old if each is None else Image.fromarray(each).convert("RGB")
                for old, each in zip(now, new, strict=True)
            ]


def _moves(path: Path) -> bool:
    """Whether a file is a video or a GIF; what cannot be read is found out later."""
    try:
        with open_ordinary(path) as file:
            return kind_of(file.read(16)) in {"mp4", "webm", "gif"}
    except (OSError, ValueError):
        return False


def _last(path: Path) -> Image.Image:
    from PIL import Image

    last = None
    for last in frames(path):  # noqa: B007 - the one that stays
        pass
    assert last is not None  # `frames` raises when there is none
    return Image.fromarray(last).convert("RGB")
