"""The folder of a studio: its own files in `.studio`, runs beside them, and no way out of it."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from pixforge.errors import OutputError

OWN = ".studio"
DEEPEST = 4
"""Folders between the studio's and a run: those of sweeps."""


class Folder:
    """The folder that a studio serves.

    Raises:
        OutputError: it cannot be made or written to.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).resolve()
        self.own = self.root / OWN
        try:
            if self.own.is_symlink():
                raise OutputError(f"{self.own}: is a link; take it away")
            (self.own / "jobs").mkdir(parents=True, exist_ok=True)
            probe = self.own / ".probe"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise OutputError(
                f"{self.root}: cannot be used ({error.strerror}); name another folder"
            ) from None

    def run(self, name: str) -> Path | None:
        """The folder of a run by its name, `heart-1` or `sweep/003-heart`; None where no run of this folder is there.

        Every part must be a plain name and a true folder: no link, nothing hidden, nothing above.
        """
        parts = name.split("/")
        if len(parts) > DEEPEST or not all(map(is_plain, parts)):
            return None
        path = self.root
        for part in parts:
            path /= part
            if not _is(path, stat.S_ISDIR):
                return None
        return path if _is(path / "run.json", stat.S_ISREG) else None

    def file(self, run: str, name: str) -> Path | None:
        """A file of a run; None where there is none, or it is a link."""
        folder = self.run(run)
        if folder is None or not is_plain(name) or not _is(folder / name, stat.S_ISREG):
            return None
        return folder / name


def is_plain(name: str) -> bool:
    """Whether a name can only mean something in the folder itself."""
    bad = not name or name.startswith(".") or len(name) > 255
    return not bad and not any(each in "/\\:\x00" or each < " " for each in name)


def _is(path: Path, kind: Any) -> bool:
    try:
        return bool(kind(path.lstat().st_mode))
    except (OSError, ValueError):
        return False


def write_json(path: Path, data: Any) -> None:
    """Write a file whole or not at all, also when the process is killed meanwhile; only the user may read it."""
    part = path.with_name(f".{path.name}.part")
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    with suppress(OSError):  # Windows cannot open folders
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_json(path: Path, most: int = 2**22) -> dict[str, Any]:
    """A file's mapping; an empty one where it cannot be read."""
    try:
        if not _is(path, stat.S_ISREG) or path.stat().st_size > most:
            return {}
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
