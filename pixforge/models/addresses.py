"""Which addresses files may come from, where they may lead, and how one is asked for."""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import time
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

REDIRECTS = 5
SLOW, WINDOW = 1 << 10, 60.0
"""Bytes per second that a server must send on average over so many seconds."""


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

    Reading it raises FailedError when the server sends so slowly that it would never end.

    Raises:
        FailedError: the address, or one that it leads to, is not to be used, or the server is too slow.
        urllib.error.URLError: there is no good answer.
    """
    request = urllib.request.Request(  # noqa: S310 - http and https alone pass
        check_address(url, hashed=hashed), headers={"User-Agent": "pixforge", **headers}
    )
    opener = urllib.request.build_opener(Redirects(hashed=hashed), _Http, _Https)
    return opener.open(request, timeout=timeout)


class _Steady(io.RawIOBase):
    """What a socket receives, as long as it is fast enough: one byte at a time would meet every timeout for years."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._since, self._received = time.monotonic(), 0

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        """Receive something; FailedError when there was too little in the last `WINDOW` seconds."""
        count = self._raw.readinto(buffer)
        self._received += count or 0
        if (passed := time.monotonic() - self._since) > WINDOW:
            if self._received < SLOW * passed:
                raise FailedError(f"it sends only {self._received / passed:.0f} bytes a second", again=True)
            self._since, self._received = time.monotonic(), 0
        return count

    def close(self) -> None:
        """Close the socket's file too."""
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """All of an answer is watched: the status, the headers, the sizes of its chunks, and the file."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.fp: Any = io.BufferedReader(_Steady(self.fp.detach()))


class _Connection(http.client.HTTPConnection):
    response_class = _Answer


class _SecureConnection(http.client.HTTPSConnection):
    response_class = _Answer


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req)


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
    return _name_of_this_machine(host) or any(each.is_loopback for each in _addresses(host, ask=False))


def _inside(host: str | None) -> bool:
    """Whether a host is this machine or one of its network, by its name, its address, or what its name stands for."""
    return _name_of_this_machine(host) or any(not each.is_global for each in _addresses(host, ask=True))


def _name_of_this_machine(host: str | None) -> bool:
    name = (host or "").rstrip(".").lower()
    return name in {"localhost", "localhost.localdomain"} or name.endswith(".localhost")


def _addresses(host: str | None, *, ask: bool) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The addresses that a host stands for, in any spelling that a connection would take: `127.1`, `2130706433`."""
    name = (host or "").rstrip(".")
    try:
        found = [ipaddress.ip_address(name)]
    except ValueError:
        try:
            found = [ipaddress.ip_address(socket.inet_aton(name))]
        except OSError:
            found = _asked(name) if ask else []
    return [getattr(each, "ipv4_mapped", None) or each for each in found]


def _asked(name: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    with suppress(OSError, ValueError):
        return [
            ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in socket.getaddrinfo(name, None)
        ]
    return []
