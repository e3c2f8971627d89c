"""Paths that are not UTF-8, for libraries in C++ and Rust that take text alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def text_path(path: Path) -> Iterator[str]:
    """A name of the file that is UTF-8: its own where it is, else one of the open file that the system makes up.

    The name may be opened for reading and writing while the `with` body runs.

    Raises:
        OSError: the file cannot be opened; one that is not there is made only where its name is UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        number = os.open(path, os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY)
        try:
            yield f"/dev/fd/{number}"
        finally:
            os.close(number)
    else:
        yield str(path)
