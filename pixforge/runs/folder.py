"""The run folder: always one of its own, and only made once there is something to put into it."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from pixforge.contracts.files import PART, whole_file
from pixforge.errors import OutputError, plain_name

DEFAULT_PARENT = "outputs"
LOCK = ".lock"
RECIPE = "recipe.yaml"
_WORKS = "name another folder with -o DIR"


def check_folder(out: str | Path | None) -> None:
    """See before any work whether a run may use the folder; makes nothing.

    Raises:
        OutputError: it holds files, is no folder, or has no name.
    """
    if out is None:
        return
    if not str(out):  # nearly always a variable that was not set; `Path("")` would be the current folder
        raise OutputError(f"the name of the folder is empty; {_WORKS}")
    try:
        with os.scandir(out) as found:
            first = next((each for each in found if not _leftover(each.name)), None)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise OutputError(f"{out}: is a file, or lies below one; {_WORKS}") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise _unusable(out, error) from None
    if first is not None:
        raise OutputError(
            f"{out}: already holds files ({first.name}), maybe another run's; {_WORKS}, or empty it"
        )


@contextmanager
def run_folder(out: str | Path | None, name: str) -> Iterator[Path]:
    """A new or empty folder: `out`, else `outputs/<name>-<number>` with the next free number.

    When the body fails before it wrote anything, a folder that was made here is taken away again.

    Raises:
        OutputError: it cannot be made, or holds files.
    """
    check_folder(out)
    new = out is None or not Path(out).exists()
    try:
        folder = _numbered(name) if out is None else _named(Path(out))
    except OSError as error:
        raise _unusable(out or DEFAULT_PARENT, error) from None
    with _taken_away(folder) if new else nullcontext():
        yield folder


@contextmanager
def branch_folder(parent: Path) -> Iterator[Path]:
    """A new folder beside a run's: its name with the next free number. It is taken away again as `run_folder` does.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder = _next(parent.resolve().parent, parent.resolve().name)
    except OSError as error:
        raise _unusable(parent.resolve().parent, error) from None
    with _taken_away(folder):
        yield folder


@contextmanager
def _taken_away(folder: Path) -> Iterator[None]:
    """Take a folder away when the body fails before it wrote anything."""
    try:
        yield
    except BaseException:
        with suppress(OSError):  # not empty: what is there stays
            folder.rmdir()
        raise


def refuse_odd_files(folder: Path) -> None:
    """See that no file in a run's folder leads out of it, or keeps the run waiting.

    Raises:
        OutputError: a link, a pipe or a device lies there; names it.
    """
    for path in sorted(folder.iterdir()):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise OutputError(
                f"{plain_name(path)}: is a link, and a run would write through it; put a file there, or take it away"
            )
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise OutputError(f"{plain_name(path)}: is a pipe or a device, and no file; take it away")


def _leftover(name: str) -> bool:
    """Whether a process that was killed before it made anything leaves such a file."""
    return name == LOCK or (name.startswith(".") and name.endswith(PART))


def write_text(path: Path, text: str) -> None:
    """Write a new file and rename it, so that it is never half there under its name."""
    with whole_file(path) as file:
        file.write(text.encode())


def clear_parts(folder: Path) -> None:
    """Take away what a killed process was writing."""
    for path in folder.glob(f".*{PART}"):
        with suppress(OSError):
            path.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep others from working in the folder; the system takes the lock back when the process dies.

    Raises:
        OutputError: another process works there.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise OutputError(
            f"{folder}: a run is going on in it; wait until it ends, or stop it first"
        ) from None
    except OSError as error:
        raise _unusable(folder, error) from None
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / LOCK).unlink()
        lock.release()


def _named(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return folder


def _numbered(name: str) -> Path:
    parent = Path(DEFAULT_PARENT)
    parent.mkdir(parents=True, exist_ok=True)
    return _next(parent, _plain(name))


def _next(parent: Path, stem: str) -> Path:
    pattern = re.compile(re.escape(stem) + r"-(\d{1,9})")
    taken = (pattern.fullmatch(entry.name) for entry in parent.iterdir())
    number = max((int(match[1]) for match in taken if match), default=0)
    while True:
        number += 1
        folder = parent / f"{stem}-{number}"
        try:
            folder.mkdir()  # fails when another process has just made it
        except FileExistsError:
            continue
        return folder


def _plain(name: str) -> str:
    """A name without what file systems or shells stumble over."""
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.")[:80] or "run"


def _unusable(folder: str | Path, error: Exception) -> OutputError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return OutputError(f"{folder}: cannot be used as the output folder ({reason}); {_WORKS}")
