"""The SHA-256 of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pixforge.ordinary_files import open_ordinary


def digest_of(path: Path) -> str | None:
    """The SHA-256 of a file in hexadecimal digits; None if there is no such file.

    Raises:
        PermissionError: it is there, and must not be read.
    """
    try:
        with open_ordinary(path) as file:
            digest = hashlib.sha256()
            while data := file.read(2**20):
                digest.update(data)
            return digest.hexdigest()
    except PermissionError:
        raise
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None
