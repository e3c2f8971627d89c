"""Who may ask: this machine alone, its own pages, and those who have the token."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
JSON, BYTES = "application/json", "application/octet-stream"
UPLOADS = ("/api/v1/recipes/of-file", "/api/v1/pictures", "/api/v1/search/picture")
"""Where raw bytes may be sent instead of JSON."""
READING = ("GET", "HEAD")


class Refused(Exception):  # noqa: N818 - an answer, and no error of the program
    """The answer to a request that is not served."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Guard:
    """Looks at every request before the application does.

    A page of another site can send requests here, and with a name that it points to this machine (DNS rebinding) read the
    answers too: hence exact names in `Host`, no foreign `Origin`, and types of content that no form can send.
    """

    def __init__(self, app: App, token: str, port: int) -> None:
        self._app, self._token = app, token
        self.cookie = f"pixforge-{port}"
        names = ("127.0.0.1", "localhost", "[::1]")
        self._hosts = {f"{name}:{port}" for name in names} | (set(names) if port == 80 else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or serve."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks websocket
            await send({"type": "websocket.close", "code": 4403})
            return
        try:
            self._check(scope)
        except Refused as answer:
            await JSONResponse({"error": str(answer)}, answer.status)(scope, receive, _with_headers(send))
            return
        await self._app(scope, receive, _with_headers(send))

    def _check(self, scope: Scope) -> None:
        headers = _headers(scope)
        if headers.get("host") not in self._hosts:
            raise Refused(421, "the studio answers to 127.0.0.1 and localhost alone")
        origin = headers.get("origin")
        if origin is not None and (urlsplit(origin).scheme != "http" or origin[7:] not in self._hosts):
            raise Refused(403, "a page of another site asks")
        if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            raise Refused(403, "a page of another site asks")
        if scope["path"] == "/" and b"token=" in scope["query_string"]:
            return  # the page itself compares it
        if not self.knows(headers):
            raise Refused(401, "open the address that pixforge studio printed: it holds the token")
        if scope["method"] not in READING:
            kind = headers.get("content-type", "").split(";")[0].strip().lower()
            wanted = BYTES if scope["path"] in UPLOADS else JSON
            if kind != wanted:
                raise Refused(415, f"the content must be {wanted}")

    def is_token(self, word: str) -> bool:
        """Compare in a time that says nothing about the token."""
        return hmac.compare_digest(word.encode("utf-8", "replace"), self._token.encode())

    def knows(self, headers: dict[str, str]) -> bool:
        """Whether a request has the token: scripts in `Authorization: Bearer`, the page in its cookie."""
        scheme, _, word = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_token(word.strip())
        pairs = (each.strip().partition("=") for each in headers.get("cookie", "").split(";"))
        return any(name == self.cookie and self.is_token(value) for name, _, value in pairs)


def _headers(scope: Scope) -> dict[str, str]:
    """The headers by name.

    Raises:
        Refused: one that matters here stands twice, so that others could read another one than we do.
    """
    found: dict[str, str] = {}
    for key, value in scope["headers"]:
        name = key.decode("latin-1").lower()
        if name in found and name in {"host", "origin", "authorization", "content-type", "content-length"}:
            raise Refused(400, f"the header {name} stands twice")
        joined = f"{found[name]}; " if name in found else ""
        found[name] = joined + value.decode("latin-1")
    return found


def _with_headers(send: Send) -> Send:
    async def wrapped(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            known = {name.lower() for name, _ in message["headers"]}
            cache = [] if b"cache-control" in known else [(b"cache-control", b"no-store")]
            message = {**message, "headers": [*message["headers"], *own, *cache]}
        await send(message)

    return wrapped
