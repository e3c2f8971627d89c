"""Hashes of files, the download cache, and a context in which nothing is downloaded or printed."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pixforge.compat import install_torchvision_shim

CHUNK = 1 << 20
# Both contexts below turn switches of the whole process: two threads that overlapped would leave them turned.
_SWITCHES = threading.RLock()


def sha256_of(file: Path) -> str:
    """In lower-case hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def published_sha256(file: Path) -> str | None:
    """What the Hugging Face cache says that a file must have: it names large files by their hash."""
    name = file.resolve().name
    return name if re.fullmatch(r"[0-9a-f]{64}", name) else None


def megabytes(count: int) -> str:
    """A number of bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


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
    file = Path.home() / ".cache" / "clip" / Path(pretrained_cfg["url"]).name
    return file if file.is_file() else None
