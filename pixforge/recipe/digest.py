"""The SHA-256 of a file."""

from __future__ import annotations

import hashlib
import os
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


def digest_of_row(path: Path) -> str | None:
    """As `digest_of`, of a video; of a picture with others after it, the SHA-256 of their names and hashes.

    Raises:
        PermissionError: one is there, and must not be read.
    """
    from pixforge.media.footage import row_of

    row = row_of(path)
    if len(row) == 1:
        return digest_of(path)
    whole = hashlib.sha256()
    for each in row:
        whole.update(os.fsencode(each.name) + b"\0" + str(digest_of(each)).encode() + b"\n")
    return whole.hexdigest()
