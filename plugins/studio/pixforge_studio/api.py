"""What the page and scripts may ask, as `openapi.py` describes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pixforge.errors import plain_text
from pixforge_studio.api_gallery import GalleryApi
from pixforge_studio.api_queue import QueueApi
from pixforge_studio.api_recipes import RecipeApi
from pixforge_studio.folder import Folder
from pixforge_studio.guard import Guard
from pixforge_studio.line import Line
from pixforge_studio.openapi import described

PAGE = {
    "studio.css": "text/css",
    "studio.js": "text/javascript",
    "chart.js": "text/javascript",
    "editor.js": "text/javascript",
    "pictures.js": "text/javascript",
    "watch.js": "text/javascript",
    "gallery.js": "text/javascript",
    "queue.js": "text/javascript",
    "strip.js": "text/javascript",
    "editor-licenses.txt": "text/plain",
    "icon.svg": "image/svg+xml",
}


class Api:
    """The routes of a studio."""

    def __init__(self, folder: Folder, line: Line, over: Callable[[], bool]) -> None:
        recipes = RecipeApi(folder)
        runs = GalleryApi(folder, line)
        self._parts = (recipes, QueueApi(folder, line, recipes, over), runs)
        self.gallery = runs.gallery
        self.guard: Guard | None = None

    def routes(self) -> list[Route]:
        """All of them."""
        own = [
            Route("/", self.page),
            Route("/{name}", self.part),
            Route("/api/v1/openapi.json", self.openapi),
        ]
        return [*own, *(route for part in self._parts for route in part.routes())]

    async def page(self, request: Request) -> Response:
        """The page; with the token in the address, a cookie and the address without it."""
        token = request.query_params.get("token")
        if token is None:
            return _of_page("index.html", "text/html")
        assert self.guard is not None
        if not self.guard.is_token(token):
            raise HTTPException(401, "the token is another one; the studio prints it when it starts")
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self.guard.cookie, token, httponly=True, samesite="strict")
        return answer

    async def part(self, request: Request) -> Response:
        """A script, a style, or the icon."""
        name = request.path_params["name"]
        if name not in PAGE:
            raise HTTPException(404, "there is nothing here")
        return _of_page(name, PAGE[name])

    async def openapi(self, request: Request) -> Response:
        """What this file does, for programs."""
        return JSONResponse(described(str(request.base_url)))


def application(api: Api, line: Line, token: str, port: int) -> Guard:
    """All of it, guarded."""

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        line.open()
        reading = asyncio.create_task(run_in_threadpool(api.gallery.runs))  # before somebody waits for it
        yield
        reading.cancel()
        await line.close()

    app = Starlette(
        routes=api.routes(),
        lifespan=life,
        exception_handlers={HTTPException: _error, ClientDisconnect: _gone, Exception: _unexpected},  # type: ignore[dict-item]
    )
    api.guard = Guard(app, token, port)
    return api.guard


async def _error(_request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)


async def _unexpected(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"unexpected {type(error).__name__}: {plain_text(str(error))}"}, 500)


def _of_page(name: str, kind: str) -> Response:
    content = (files("pixforge_studio") / "page" / name).read_bytes()
    return Response(content, media_type=kind)
