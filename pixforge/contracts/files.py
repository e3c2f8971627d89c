"""Write files completely or not at all: to a temporary name first, then flushed to disk and renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PART = ".part"
"""The suffix of unfinished files, which are named `.NAME.part`; a killed process may leave one behind."""


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that gets its name only when the `with` body ends without an error; until then an old file stays.

    Raises:
        OSError: it cannot be written; no partial file is left, and an old file is unchanged.
    """
    part = part_of(path)
    try:
        with part.open("wb") as file:
            yield file
        publish(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def publish(part: Path, path: Path) -> None:
    """Rename a finished file to its final name, and flush both the file and the name to disk.

    Raises:
        OSError: it cannot be renamed; `part` still exists.
    """
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def part_of(path: Path) -> Path:
    """The temporary path of a file while it is being written."""
    return path.with_name(f".{path.name}{PART}")


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to disk if the system supports it: a rename alone may be lost in a power cut."""
    with suppress(OSError):  # Windows cannot open folders
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
