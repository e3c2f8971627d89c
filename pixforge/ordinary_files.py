"""Files of strangers: their names may be none, and pipes and devices may stand in their place."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO


def open_ordinary(path: str | Path) -> IO[bytes]:
    """Open a file for reading. A pipe or a device is refused, which could keep the program waiting, or never end.

    Raises:
        OSError: it is missing, no ordinary file, or cannot be read.
        ValueError: no file can have this name.
    """
    _check_ordinary(path, Path(path).stat())
    # The name may be another file's by now; without O_NONBLOCK, opening a pipe would wait for its writer.
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    file = os.fdopen(number, "rb")
    try:
        _check_ordinary(path, os.fstat(number))
    except BaseException:
        file.close()
        raise
    return file


def read_ordinary(path: str | Path, most: int) -> bytes:
    """The content of a file as `open_ordinary` opens it.

    Raises:
        OSError: it is missing, no ordinary file, or cannot be read.
        ValueError: it has more than `most` bytes, or no file can have this name.
    """
    with open_ordinary(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most} bytes")
    return content


def names_something(path: Path) -> bool:
    """Whether a file or a folder can have this name, be it there or not: it is not too long, and has no null byte."""
    try:
        path.lstat()
    except ValueError:
        return False
    except OSError as error:
        return error.errno not in {errno.ENAMETOOLONG, errno.EINVAL}
    return True


def is_file(path: Path) -> bool:
    """Whether a path names a file; False also for a name that no file can have, as it is too long or has a null byte."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """The same of a folder."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _check_ordinary(path: str | Path, state: os.stat_result) -> None:
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "not an ordinary file", str(path))
