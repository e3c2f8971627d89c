"""Get a file that may be large from servers that may fail; it has its name only when it is whole."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import os
import time
import urllib.error
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pixforge.errors import WeightsError
from pixforge.models.addresses import FailedError, open_address, short
from pixforge.models.part import ANYTHING, Wanted, check, drop, enough_space, note, read_note

CHUNK = 1 << 20
TRIES = 4
PATIENCE = 3600
"""Seconds that another process may take for the same file."""
PAGES = (b"<!doctype html", b"<html")
Progress = Callable[[int, "int | None"], None]
log = logging.getLogger(__name__)


def download(
    urls: Sequence[str],
    target: Path,
    wanted: Wanted = ANYTHING,
    *,
    progress: Progress | None = None,
    timeout: float = 30,
) -> Path:
    """Get `target` from the first address that gives it; goes on where an earlier download stopped.

    The part that is there lies in `target.part`, with what the server said of it in `target.part.json`. Plain http is
    used only for a file whose hash is known, and on this machine.

    Raises:
        WeightsError: no address gave the file, another process takes an hour for it, or the disk is full.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target):
            if not target.is_file():
                _from_any(urls, target, wanted, progress or _silent, timeout)
    except OSError as error:
        raise WeightsError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(f"{target}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("%s is being fetched by another process; waiting for it", target.name)
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout as error:
            raise WeightsError(
                f"{target.name} is still being fetched by another process; try again later"
            ) from error
    try:
        yield
    finally:
        lock.release()


def _from_any(urls: Sequence[str], target: Path, wanted: Wanted, progress: Progress, timeout: float) -> None:
    part = target.with_name(f"{target.name}.part")
    failures = []
    for url in urls:
        try:
            _from(url, part, wanted, progress, timeout)
            check(part, wanted)
        except FailedError as failure:
            failures.append(f"{short(url)}: {failure}")
            continue
        part.replace(target)
        note(part).unlink(missing_ok=True)
        return
    raise WeightsError(f"cannot fetch {target.name}: {'; '.join(failures) or 'it has no address'}")


def _from(url: str, part: Path, wanted: Wanted, progress: Progress, timeout: float) -> None:
    """Fill the part from one address, a few times if the connection breaks."""
    left = TRIES
    while left:
        left -= 1
        try:
            _once(url, part, wanted, progress, timeout)
            left = 0
        except FailedError as failure:
            if not failure.again or not left:
                raise
            time.sleep(min(timeout, 0.5))


def _once(url: str, part: Path, wanted: Wanted, progress: Progress, timeout: float) -> None:
    have = part.stat().st_size if part.exists() else 0
    known = read_note(part) if have else {}
    if known.get("url") != url:
        have, known = 0, {}
    if have and have == known.get("total"):
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    if have and known.get("validator"):
        headers["If-Range"] = str(known["validator"])
    try:
        with open_address(url, headers, timeout, hashed=wanted.sha256 is not None) as answer:
            begin, total = _begin(answer, have, known, part, wanted)
            note(part).write_text(json.dumps({"url": url, "validator": _validator(answer), "total": total}))
            _receive(answer, part, begin, total, wanted.limit, progress)
    except urllib.error.HTTPError as error:
        raise _refused(error, part) from error
    except urllib.error.URLError as error:
        again = isinstance(error.reason, TimeoutError)
        raise FailedError(f"no answer ({error.reason})", again=again) from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise FailedError(f"the connection broke ({type(error).__name__})", again=True) from error


def _refused(error: urllib.error.HTTPError, part: Path) -> FailedError:
    error.close()
    if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.exists():
        drop(part)
        return FailedError("the part did not fit the file", again=True)
    return FailedError(f"the server says {error.code} {error.reason}", again=error.code >= 500)


def _begin(
    answer: Any, have: int, known: dict[str, Any], part: Path, wanted: Wanted
) -> tuple[int, int | None]:
    """Where in the file the answer begins, and how long the whole is; None if chunks will say when it ends."""
    if "text/html" in answer.headers.get("Content-Type", ""):
        raise FailedError("it gave a web page instead of the file")
    length = answer.headers.get("Content-Length", "")
    total = int(length) if length.isdigit() else None
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        first, total = _range(answer)
        same = known.get("validator") == _validator(answer) and known.get("total") in {None, total}
        if first != have or total is None or not same:
            drop(part)
            raise FailedError("the file changed in between", again=True)
    else:
        have = 0
    if total is None and not answer.chunked and wanted.size is None and wanted.sha256 is None:
        raise FailedError("it does not say how long the file is, so nobody knows when it is whole")
    if total is not None and wanted.size not in {None, total}:
        raise FailedError(f"it offers {total} bytes, not {wanted.size}")
    if total is not None and total > wanted.limit:
        raise FailedError(f"it offers {total} bytes, more than the {wanted.limit} that such a file may have")
    enough_space(part, (total or wanted.size or 0) - have)
    return have, total if total is not None else wanted.size


def _receive(answer: Any, part: Path, have: int, total: int | None, most: int, progress: Progress) -> None:
    """Append the answer to the part."""
    limit = most if total is None else total
    with part.open("ab" if have else "wb") as stream:
        for chunk in _chunks(answer):
            if not have and chunk[:64].lstrip().lower().startswith(PAGES):
                raise FailedError("it gave a web page instead of the file")
            have += len(chunk)
            if have > limit:
                stream.close()
                drop(part)
                raise FailedError(f"it sends more than the {limit} bytes that it should have")
            stream.write(chunk)
            progress(have, total)
        stream.flush()
        os.fsync(stream.fileno())
    if total is not None and have < total:
        raise FailedError(f"the connection broke after {have} of {total} bytes", again=True)


def _chunks(answer: Any) -> Iterator[bytes]:
    """What arrives, as it arrives.

    Raises:
        FailedError: the connection broke, or the server is too slow.
    """
    while True:
        try:
            chunk = answer.read1(CHUNK)  # read() would wait for a whole CHUNK, however slowly it drips
        except (http.client.HTTPException, OSError) as error:
            raise FailedError(f"the connection broke ({type(error).__name__})", again=True) from error
        if not chunk:
            return
        yield chunk


def _range(answer: Any) -> tuple[int | None, int | None]:
    """From `bytes 100-199/300`: 100 and 300."""
    place, _, total = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    first = place.split("-", 1)[0]
    return int(first) if first.isdigit() else None, int(total) if total.isdigit() else None


def _validator(answer: Any) -> str | None:
    found = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
    return str(found) if found else None


def _silent(_: int, __: int | None) -> None:
    """No progress is shown."""
