"""Files that are whole or not there: written beside, brought to the disk, renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PART = ".part"
"""Files that were being written when a process was killed are called `.NAME.part`."""


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file that gets its name only when the body has ended well; until then an older one keeps it.

    Raises:
        OSError: it cannot be written; nothing of it is left, and an older one is as it was.
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
    """Give a file that is whole its name, and bring both to the disk.

    Raises:
        OSError: it cannot be; `part` is still there.
    """
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def part_of(path: Path) -> Path:
    """The name of a file while it is being written."""
    return path.with_name(f".{path.name}{PART}")


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system knows how; a rename alone may not survive a power cut."""
    with suppress(OSError):  # Windows opens no folders
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
