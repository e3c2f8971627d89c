"""Hashes of files, the download cache, and a context in which nothing is downloaded or printed."""

from __future__ import annotations

import functools
import hashlib
import logging
import re
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pixforge.errors import WeightsError
from pixforge.models.folder import home
from pixforge.ordinary_files import open_ordinary
from pixforge.torchvision_shim import install_torchvision_shim

CHUNK = 1 << 20
RECENT = 2_000_000_000
"""Nanoseconds."""
# Both contexts below turn switches of the whole process: two threads that overlapped would leave them turned.
_SWITCHES = threading.RLock()


def check_readable(file: Path) -> None:
    """See that a file may be read.

    Raises:
        WeightsError: the system does not permit it; says so, since the file itself may be whole.
    """
    try:
        open_ordinary(file).close()
    except PermissionError as error:
        raise WeightsError(f"{file}: cannot be read ({error.strerror}); allow it, and try again") from None
    except OSError:
        pass  # whoever reads it says better what is wrong


def sha256_of(file: Path) -> str:
    """In lower-case hexadecimal."""
    digest = hashlib.sha256()
    with open_ordinary(file) as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def known_sha256(file: Path) -> str:
    """As `sha256_of`, but a file that has not changed is read only once per process.

    A file counts as changed when its size, its times or its place on the disk differ. One that was written in the last
    two seconds is always read, because clocks of file systems are coarse.
    """
    version = version_of(file)
    return sha256_of(file) if version is None else _sha256_of_version(*version)


def file_facts(file: Path) -> dict[str, Any]:
    """Place, size and SHA-256 of a file, for `run.json`."""
    return {"file": str(file), "bytes": file.stat().st_size, "sha256": known_sha256(file)}


def version_of(file: Path) -> tuple[str, int, int, int, int, int] | None:
    """What differs when a file has changed: its place, size and times; None if it was written in the last two seconds."""
    status = file.stat()
    times = status.st_mtime_ns, status.st_ctime_ns
    if time.time_ns() - max(times) < RECENT:
        return None
    return str(file.resolve()), status.st_dev, status.st_ino, status.st_size, *times


@functools.lru_cache(maxsize=256)
def _sha256_of_version(path: str, *_: int) -> str:
    return sha256_of(Path(path))


def published_sha256(file: Path) -> str | None:
    """What the Hugging Face cache says that a file must have: it names large files by their hash."""
    name = file.resolve().name
    return name if re.fullmatch(r"[0-9a-f]{64}", name) else None


def megabytes(count: int) -> str:
    """A number of bytes for people."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.{0 if count >= 1e6 else 1}f} MB"


@contextmanager
def offline() -> Iterator[None]:
    """Nothing inside asks the network: the hub's client answers from its cache, at once."""
    from huggingface_hub import constants

    with _SWITCHES:
        before = constants.HF_HUB_OFFLINE
        constants.HF_HUB_OFFLINE = True
        try:
            yield
        finally:
            constants.HF_HUB_OFFLINE = before


@contextmanager
def quiet() -> Iterator[None]:
    """Keep open_clip's notes off standard error; it logs through the root logger, which would also set that up."""
    root = logging.getLogger()
    with _SWITCHES:
        handler, before = logging.NullHandler(), root.manager.disable
        root.addHandler(handler)
        logging.disable(logging.CRITICAL)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            logging.disable(before)
            root.removeHandler(handler)


def import_open_clip() -> Any:
    """The package, brought in where torchvision may be half broken, and without its warnings."""
    install_torchvision_shim()
    with quiet():
        import open_clip
    return open_clip


def cached(repository: str, filename: str | None = None) -> Path | None:
    """A file of a Hugging Face repository that was downloaded before; without a name, open_clip's weights."""
    import_open_clip()
    from open_clip.pretrained import download_pretrained_from_hf

    with offline(), quiet():
        try:
            return Path(download_pretrained_from_hf(repository, filename=filename))
        except FileNotFoundError:
            return None


def cached_pretrained(pretrained_cfg: dict[str, Any]) -> Path | None:
    """The file of one of open_clip's tags, where it was downloaded before."""
    if pretrained_cfg.get("hf_hub"):
        repository, _, filename = pretrained_cfg["hf_hub"].rpartition("/")
        return cached(repository, filename or None)
    file = home() / ".cache" / "clip" / Path(pretrained_cfg["url"]).name
    return file if file.is_file() else None
