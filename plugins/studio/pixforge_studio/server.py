"""The server: one for a folder, on this machine alone."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
from filelock import FileLock, Timeout
from uvicorn.protocols.http.h11_impl import H11Protocol

from pixforge.errors import InputError, OutputError
from pixforge_studio.api import Api, application
from pixforge_studio.folder import Folder, read_json, write_json
from pixforge_studio.line import Line

HERE = "127.0.0.1"
TOKEN = "PIXFORGE_STUDIO_TOKEN"  # noqa: S105 - the name of a variable
SHORTEST = 16
SILENT = 20
"""Seconds after which a connection is closed over which nothing was asked."""
MANY_FILES = 8192


class Patient(H11Protocol):
    """HTTP that does not wait for ever for a first request."""

    def connection_made(self, transport: Any) -> None:
        """Look after a while whether anything was asked."""
        super().connection_made(transport)
        self.loop.call_later(SILENT, self._close_if_silent)

    def _close_if_silent(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


def serve(folder: str | Path, port: int, *, cold: bool = False) -> int:
    """Serve a folder until Ctrl-C or SIGTERM.

    Raises:
        OutputError: the folder cannot be used, or another studio serves it.
        InputError: the port is taken, or the token is too short.
    """
    place = Folder(folder)
    token = _token()
    lock = FileLock(place.own / "server.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        about = read_json(place.own / "server.json")
        where = f"at {about['address']} (process {about['process']})" if "address" in about else "already"
        raise OutputError(f"{place.root}: another studio serves this folder {where}; stop it first") from None
    try:
        with _listen(port) as listener:
            _serve(place, token, listener, cold=cold)
    finally:
        (place.own / "server.json").unlink(missing_ok=True)
        lock.release()
    return 0


def _serve(place: Folder, token: str, listener: socket.socket, *, cold: bool) -> None:
    port = listener.getsockname()[1]
    address = f"http://{HERE}:{port}/"
    write_json(place.own / "server.json", {"address": address, "process": os.getpid()})
    _allow_many_files()
    line = Line(place, cold=cold)
    api = Api(place, line, lambda: server.should_exit)
    config = uvicorn.Config(
        application(api, line, token, port),
        http=Patient,
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=2**15,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    print(f"{address}?token={token}", flush=True)
    print(f"pixforge studio: serves {place.root}; Ctrl-C saves and ends", file=sys.stderr, flush=True)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def _token() -> str:
    """A new one, or that which the user has chosen for scripts."""
    chosen = os.environ.get(TOKEN, "")
    if not chosen:
        return secrets.token_urlsafe(24)
    plain = chosen.isascii() and all(each.isalnum() or each in "-_" for each in chosen)
    if len(chosen) < SHORTEST or not plain:
        raise InputError(f"{TOKEN}: needs at least {SHORTEST} letters, digits, - or _")
    return chosen


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # a port of a studio that has just ended may be taken at once
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HERE, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise InputError(f"--port {port}: {why}; --port 0 takes a free one") from None
    return listener


def _allow_many_files() -> None:
    """Each connection is an open file, and the usual limit is soon reached."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
