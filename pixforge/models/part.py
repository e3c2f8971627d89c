"""The part of a file that a download has until now, and what it should become."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixforge.errors import WeightsError
from pixforge.models.addresses import FailedError


@dataclass(frozen=True)
class Wanted:
    """What a file must be, as far as that is known; `limit` is the most bytes that it may have."""

    size: int | None = None
    sha256: str | None = None
    limit: int = 32 << 30


ANYTHING = Wanted()


def check(part: Path, wanted: Wanted) -> None:
    """See that the whole part is what it should be.

    Raises:
        FailedError: it is not, and was deleted.
    """
    from pixforge.models.files import sha256_of

    size = part.stat().st_size
    if wanted.size not in {None, size}:
        drop(part)
        raise FailedError(f"it gave {size} bytes, not {wanted.size}")
    if wanted.sha256 is not None and (found := sha256_of(part)) != wanted.sha256:
        drop(part)
        raise FailedError(f"it gave another file: SHA-256 {found[:12]}…, not {wanted.sha256[:12]}…")


def enough_space(part: Path, more: int) -> None:
    """See that the disk takes so many more bytes.

    Raises:
        WeightsError: it does not.
    """
    free = shutil.disk_usage(part.parent).free
    if more > free:
        raise WeightsError(f"{part.parent} has {free / 1e9:.1f} GB free, {more / 1e9:.1f} GB are needed")


def note(part: Path) -> Path:
    """The file that keeps what the server said, for going on later."""
    return part.with_name(f"{part.name}.json")


def read_note(part: Path) -> dict[str, Any]:
    """What the server said; nothing when that is not known."""
    try:
        found = json.loads(note(part).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def drop(part: Path) -> None:
    """Delete it, with what the server said of it."""
    part.unlink(missing_ok=True)
    note(part).unlink(missing_ok=True)
