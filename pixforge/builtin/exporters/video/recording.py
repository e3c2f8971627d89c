"""The video file that grows while a run goes on; it plays at any moment, and can be cut back and continued."""

from __future__ import annotations

import os
from pathlib import Path

from pixforge.contracts.files import part_of, sync_folder


class Recording:
    """Appends whole pieces to a file, which appears under its name with the first of them.

    Args:
        path: of the file.
        header: what the file begins with; empty until the first piece comes.
        size: where to cut an existing file and go on; with 0 it is made anew.

    Raises:
        OSError: an existing file cannot be opened.
    """

    def __init__(self, path: Path, header: bytes = b"", size: int = 0) -> None:
        self.path = path
        self.header = header
        self.size = size
        self._file = path.open("r+b", buffering=0) if size else None
        self.cut(size)

    def append(self, header: bytes, piece: bytes) -> None:
        """Add a piece; `header` is used when it is the first.

        Raises:
            OSError: the disk is full, say; the file is as long as before.
        """
        if self._file is None:
            self._begin(header, piece)
            return
        try:
            self._write(piece)
        except OSError:
            self.cut(self.size)
            raise
        self.size += len(piece)

    def cut(self, size: int) -> None:
        """Forget what comes after `size` bytes; with 0 the file stays until a new one takes its place."""
        if self._file is not None and size:
            self._file.truncate(size)
            self._file.seek(size)
        elif self._file is not None:
            self._file.close()
            self._file = None
        self.size = size

    def sync(self) -> None:
        """Bring everything to the disk."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()

    def _begin(self, header: bytes, piece: bytes) -> None:
        part = part_of(self.path)
        self._file = part.open("w+b", buffering=0)
        try:
            self._write(header + piece)
            part.replace(self.path)
        except OSError as error:
            self._file.close()
            self._file = None
            part.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        sync_folder(self.path.parent)
        self.header, self.size = header, len(header) + len(piece)

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]
