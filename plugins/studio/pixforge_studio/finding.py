"""Runs by what they show: the folder's index of pictures, searched by words, by a run, or by a picture."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pixforge
from pixforge_studio.folder import Folder

MOST = 500
_PICTURES = 5000
"""Of which the best of each run count: a run has frames, sheets and previews beside its picture."""


class Finder:
    """Brings the index up to date before each search; one search at a time."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._index: pixforge.Index | None = None
        self._thread = ThreadPoolExecutor(1, "search")

    def runs(self, query: str | bytes | Path) -> list[tuple[str, float]]:
        """Names of runs and their scores, -1 to 1, the best first; the query is a text, or a picture.

        Raises:
            PixforgeError: there are no pictures yet, the query cannot be read, or faiss is not installed.
        """
        found = self._thread.submit(self._search, query).result()
        best: dict[str, float] = {}
        for each in found:
            run = self._run_of(each.path)
            if run is not None:
                best.setdefault(run, each.score)
        return list(best.items())[:MOST]

    def _search(self, query: str | bytes | Path) -> list[Any]:
        if self._index is None:  # its database belongs to the thread that opens it
            self._index = pixforge.Index(self._folder.root, at=self._folder.own / "index")
        self._index.update(workers=1)
        return self._index.search(_as_query(query), _PICTURES)

    def _run_of(self, picture: Path) -> str | None:
        name = picture.parent.relative_to(self._folder.root).as_posix()
        return name if self._folder.run(name) is not None else None


def _as_query(query: str | bytes | Path) -> Any:
    if isinstance(query, str):
        return query
    from PIL import Image

    from pixforge.errors import ImageError

    try:
        with Image.open(io.BytesIO(query) if isinstance(query, bytes) else query) as image:
            if image.width * image.height > 2**26:
                raise ImageError("the picture has too many pixels")
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ImageError("the file is no picture that can be read") from None
