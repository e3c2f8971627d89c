"""Which addresses files may come from, where they may lead, and how one is asked for."""

from __future__ import annotations

import ipaddress
import urllib.request
from typing import Any
from urllib.parse import urlsplit

REDIRECTS = 5


class FailedError(Exception):
    """One try failed; `again` is whether another try at the same address may go better."""

    def __init__(self, why: str, *, again: bool = False) -> None:
        super().__init__(why)
        self.again = again


def check_address(url: str, *, hashed: bool) -> str:
    """The address itself.

    Without encryption anybody on the way can put another file in the place of this one, so plain http is for files
    whose hash is known (`hashed`), and for servers on this machine.

    Raises:
        FailedError: it is not to be used.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise FailedError(f"{parts.scheme or 'it'} is no http address")
    if parts.scheme == "http" and not hashed and not _here(parts.hostname):
        raise FailedError("it is not encrypted, and the file's hash is not known")
    return url


def short(url: str) -> str:
    """The server's name, without a password that may be in the address."""
    return urlsplit(url).netloc.rpartition("@")[2] or url


def open_address(url: str, headers: dict[str, str], timeout: float, *, hashed: bool) -> Any:
    """The server's answer, after redirects.

    Raises:
        FailedError: the address, or one that it leads to, is not to be used.
        urllib.error.URLError: there is no good answer.
    """
    request = urllib.request.Request(  # noqa: S310 - http and https alone pass
        check_address(url, hashed=hashed), headers={"User-Agent": "pixforge", **headers}
    )
    return urllib.request.build_opener(Redirects(hashed=hashed)).open(request, timeout=timeout)


class Redirects(urllib.request.HTTPRedirectHandler):
    """Few, to http or https, never from the second to the first, and never from outside to this machine."""

    max_redirections = REDIRECTS

    def __init__(self, *, hashed: bool) -> None:
        self.hashed = hashed

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """The request for the next address.

        Raises:
            FailedError: it is not to be used.
        """
        before, new = urlsplit(req.full_url), urlsplit(check_address(newurl, hashed=self.hashed))
        if before.scheme == "https" and new.scheme == "http":
            raise FailedError("it leads from https to http")
        if _inside(new.hostname) and not _inside(before.hostname):
            raise FailedError("it leads to this machine or its network")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _here(host: str | None) -> bool:
    return host == "localhost" or _is(host, "is_loopback")


def _inside(host: str | None) -> bool:
    return host == "localhost" or _is(host, "is_private")


def _is(host: str | None, what: str) -> bool:
    try:
        return bool(getattr(ipaddress.ip_address(host or ""), what))
    except ValueError:
        return False
