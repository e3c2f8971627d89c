"""Pictures that people bring: starts of runs, and masks that they have painted."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

from pixforge_studio.folder import Folder, is_plain

HOME = "pictures"
"""The folder in the studio's own, so that recipes name it `pictures/...`."""
MOST_PIXELS = 2**26
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}


class NoPicture(ValueError):  # noqa: N818 - an answer, and no error of the program
    """What was sent is none; the text says why."""


def keep(folder: Folder, content: bytes) -> dict[str, Any]:
    """Store a picture as it is, under a name of its content: `path` for recipes, `name`, `width` and `height`.

    Raises:
        NoPicture: it is no PNG, JPEG or WebP, is damaged, or too large.
        OSError: it cannot be written.
    """
    suffix, (width, height) = _look(content)
    home = folder.root / HOME
    if home.is_symlink():
        raise NoPicture(f"{HOME} in the studio's folder is a link; take it away")
    home.mkdir(exist_ok=True)
    name = hashlib.sha256(content).hexdigest()[:20] + suffix
    part = home / f".{name}.{os.getpid()}"
    part.write_bytes(content)
    part.replace(home / name)
    return {"name": name, "path": f"{HOME}/{name}", "width": width, "height": height}


def find(folder: Folder, name: str) -> Path | None:
    """A picture that was kept; no link, and nothing outside."""
    home = folder.root / HOME
    path = home / name
    good = is_plain(name) and path.suffix in _SUFFIXES.values() and not home.is_symlink()
    return path if good and path.is_file() and not path.is_symlink() else None


def _look(content: bytes) -> tuple[str, tuple[int, int]]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=tuple(_SUFFIXES)) as image:
            kind, size = image.format or "", image.size
            small = size[0] * size[1] <= MOST_PIXELS
            if small:
                image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise NoPicture("the file is no PNG, JPEG or WebP that can be read") from None
    if not small:
        raise NoPicture(f"the picture has more than {MOST_PIXELS:,} pixels")
    return _SUFFIXES[kind], size
