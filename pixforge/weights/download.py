"""Get a file that may be large from servers that may fail; it has its name only when it is whole."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pixforge.errors import WeightsError

CHUNK = 1 << 20
TRIES = 4
REDIRECTS = 5
MAX_BYTES = 64 << 30
Progress = Callable[[int, "int | None"], None]


@dataclass(frozen=True)
class Wanted:
    """What a file must be, as far as that is known."""

    size: int | None = None
    sha256: str | None = None


class _FailedError(Exception):
    """One try failed; `again` is whether another try at the same address may go better."""

    def __init__(self, why: str, *, again: bool = False) -> None:
        super().__init__(why)
        self.again = again


def download(
    urls: Sequence[str],
    target: Path,
    wanted: Wanted = Wanted(),
    *,
    progress: Progress | None = None,
    timeout: float = 30,
) -> Path:
    """Get `target` from the first address that gives it; goes on where an earlier download stopped.

    The part that is there lies in `target.part`, with what the server said of it in `target.part.json`.

    Raises:
        WeightsError: no address gave the file, another process is getting it, or the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    failures = []
    with _alone(target):
        if target.is_file():
            return target
        for url in urls:
            try:
                _from(url, part, wanted, progress or _silent, timeout)
                _check(part, wanted)
                part.replace(target)
            except _FailedError as failure:
                failures.append(f"{_short(url)}: {failure}")
                continue
            except OSError as error:
                raise WeightsError(f"{target} cannot be written: {error.strerror or error}") from error
            _note(part).unlink(missing_ok=True)
            return target
    raise WeightsError(f"cannot fetch {target.name}: {'; '.join(failures) or 'it has no address'}")


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(f"{target}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise WeightsError(f"{target.name} is being fetched by another process; wait for it") from error
    try:
        yield
    finally:
        lock.release()


def _silent(_: int, __: int | None) -> None:
    """No progress is shown."""


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _drop(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _short(url: str) -> str:
    return urlsplit(url).netloc or url


def _from(url: str, part: Path, wanted: Wanted, progress: Progress, timeout: float) -> None:
    """Fill the part from one address, a few times if the connection breaks."""
    left = TRIES
    while left:
        left -= 1
        try:
            _once(url, part, wanted, progress, timeout)
            left = 0
        except _FailedError as failure:
            if not failure.again or not left:
                raise
            time.sleep(min(timeout, 0.5))


def _once(url: str, part: Path, wanted: Wanted, progress: Progress, timeout: float) -> None:
    have = part.stat().st_size if part.exists() else 0
    known = _read_note(part) if have else {}
    if have and known.get("url") != url:
        have = 0
    request = urllib.request.Request(_checked(url))  # noqa: S310 - http and https alone pass
    request.add_header("User-Agent", "pixforge")
    if have:
        request.add_header("Range", f"bytes={have}-")
        if known.get("validator"):
            request.add_header("If-Range", known["validator"])
    try:
        with _opener().open(request, timeout=timeout) as answer:
            _receive(answer, url, part, have, wanted, progress)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            _drop(part)
            raise _FailedError("the part did not fit the file", again=True) from error
        raise _FailedError(f"the server says {error.code} {error.reason}", again=error.code >= 500) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, _FailedError):
            raise error.reason from error
        raise _FailedError(
            f"no answer ({error.reason})", again=isinstance(error.reason, TimeoutError)
        ) from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _FailedError(f"the connection broke ({type(error).__name__})", again=True) from error


def _receive(answer: Any, url: str, part: Path, have: int, wanted: Wanted, progress: Progress) -> None:
    """Append the answer to the part, or start it over where the server does not go on."""
    _not_a_page(answer)
    if have and not (answer.status == http.HTTPStatus.PARTIAL_CONTENT and _starts_at(answer) == have):
        have = 0
    promised = answer.headers.get("Content-Length")
    total = have + int(promised) if promised and promised.isdigit() else wanted.size
    if total is not None and wanted.size is not None and total != wanted.size:
        raise _FailedError(f"it offers {total} bytes, not {wanted.size}")
    limit = total if total is not None else MAX_BYTES
    _enough_space(part, limit - have if total is not None else 0)
    validator = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
    _note(part).write_text(json.dumps({"url": url, "validator": validator}), "utf-8")
    with part.open("ab" if have else "wb") as stream:
        while chunk := answer.read(CHUNK):
            have += len(chunk)
            if have > limit:
                stream.close()
                _drop(part)
                raise _FailedError(f"it sends more than the {limit} bytes that it should have")
            stream.write(chunk)
            progress(have, total)
        stream.flush()
        os.fsync(stream.fileno())
    if total is not None and have < total:
        raise _FailedError(f"the connection broke after {have} of {total} bytes", again=True)


def _check(part: Path, wanted: Wanted) -> None:
    """Whether the whole part is what it should be; a wrong one is deleted."""
    if wanted.size is not None and part.stat().st_size != wanted.size:
        size = part.stat().st_size
        _drop(part)
        raise _FailedError(f"it gave {size} bytes, not {wanted.size}")
    if wanted.sha256 is not None:
        from pixforge.weights.files import sha256_of

        found = sha256_of(part)
        if found != wanted.sha256:
            _drop(part)
            raise _FailedError(f"it gave another file: SHA-256 {found[:12]}…, not {wanted.sha256[:12]}…")


def _not_a_page(answer: Any) -> None:
    if "text/html" in answer.headers.get("Content-Type", ""):
        raise _FailedError("it gave a web page instead of the file")


def _starts_at(answer: Any) -> int | None:
    text = answer.headers.get("Content-Range", "")
    first = text.removeprefix("bytes ").split("-", 1)[0]
    return int(first) if first.isdigit() else None


def _enough_space(part: Path, more: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if more > free:
        raise WeightsError(f"{part.parent} has {free / 1e9:.1f} GB free, {more / 1e9:.1f} GB are needed")


def _read_note(part: Path) -> dict[str, str]:
    try:
        note = json.loads(_note(part).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _checked(url: str) -> str:
    scheme = urlsplit(url).scheme
    if scheme not in {"http", "https"}:
        raise _FailedError(f"{scheme or 'it'} is no http address")
    return url


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Few, to http or https, never from the second to the first, and never from outside to this machine."""

    max_redirections = REDIRECTS

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        new = urlsplit(_checked(newurl))
        if req.type == "https" and new.scheme == "http":
            raise _FailedError("it leads from https to http")
        if _local(new.hostname) and not _local(urlsplit(req.full_url).hostname):
            raise _FailedError("it leads to this machine or its network")
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None:
            for name, value in req.header_items():
                if name in {"Range", "If-range"}:
                    made.add_unredirected_header(name, value)
        return made


def _local(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_private
    except ValueError:
        return False


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Redirects())
