"""Requests about recipes: what is wrong with them, what could stand in them, and pictures that they name."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

import pixforge
from pixforge.errors import PixforgeError
from pixforge_studio import completion, pictures, recipes, strip
from pixforge_studio.asking import MOST_UPLOAD, content_of, json_of, none, text_of
from pixforge_studio.folder import Folder
from pixforge_studio.gallery import media_type

V1 = "/api/v1"
_SUFFIXES = {
    b"\x89PNG": ".png",
    b"RIFF": ".webp",
    b"GIF8": ".gif",
    b"\x1a\x45\xdf\xa3": ".webm",
}


class RecipeApi:
    """Answers them."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._reading = asyncio.Lock()
        self._schema: dict[str, Any] | None = None

    def routes(self) -> list[Route]:
        """Where they are asked."""
        return [
            Route(f"{V1}/schema", self.schema),
            Route(f"{V1}/recipes/check", self.check, methods=["POST"]),
            Route(f"{V1}/recipes/complete", self.complete, methods=["POST"]),
            Route(f"{V1}/recipes/about", self.about, methods=["POST"]),
            Route(f"{V1}/recipes/strip", self.strip, methods=["POST"]),
            Route(f"{V1}/recipes/put", self.put, methods=["POST"]),
            Route(f"{V1}/recipes/edit", self.edit, methods=["POST"]),
            Route(f"{V1}/recipes/of-file", self.of_file, methods=["POST"]),
            Route(f"{V1}/pictures", self.keep, methods=["POST"]),
            Route(f"{V1}/pictures/{{name}}", self.picture),
        ]

    async def schema(self, _request: Request) -> Response:
        """The JSON Schema of recipes."""
        return Response(await run_in_threadpool(pixforge.schema_text), media_type="application/schema+json")

    async def check(self, request: Request) -> Response:
        """Say what is wrong with a text, and what the form shows of it."""
        return JSONResponse(await self.seen(text_of(await json_of(request))))

    async def complete(self, request: Request) -> Response:
        """What could stand at a place of a text."""
        return await self._at(request, completion.options)

    async def about(self, request: Request) -> Response:
        """What the word at a place of a text means."""
        return await self._at(request, completion.about)

    async def _at(self, request: Request, ask: Callable[..., dict[str, Any]]) -> Response:
        body = await json_of(request)
        text, offset = text_of(body), body.get("offset")
        if not isinstance(offset, int) or isinstance(offset, bool) or not 0 <= offset <= 2 * len(text):
            raise HTTPException(422, "offset must be a place in the text")
        found = await run_in_threadpool(
            ask, text, completion.from_units(text, offset), await self._known_schema()
        )
        return JSONResponse(completion.in_units(text, found))

    async def _known_schema(self) -> dict[str, Any]:
        if self._schema is None:
            self._schema = json.loads(await run_in_threadpool(pixforge.schema_text))
        return self._schema

    async def strip(self, request: Request) -> Response:
        """Scenes and keyframes of a text."""
        text = text_of(await json_of(request))
        return JSONResponse(await run_in_threadpool(strip.strip, text, await self._known_schema()))

    async def put(self, request: Request) -> Response:
        """Change the value at a place of a text."""
        body = await json_of(request)
        text, place = text_of(body), body.get("path")
        if (
            not isinstance(place, list)
            or not all(isinstance(each, str | int) for each in place)
            or "value" not in body
        ):
            raise HTTPException(422, "path must be a list of names and numbers, and value is needed")
        try:
            new = await run_in_threadpool(strip.put, text, place, body["value"])
        except (ValueError, RecursionError) as error:
            raise HTTPException(422, f"cannot be changed: {error}") from None
        return JSONResponse({"text": new, **await self.seen(new)})

    async def edit(self, request: Request) -> Response:
        """Change fields of a text."""
        body = await json_of(request)
        text, changes = text_of(body), body.get("changes")
        if not isinstance(changes, dict):
            raise HTTPException(422, "changes must be a mapping of fields to values")
        try:
            new = await run_in_threadpool(recipes.edited, text, changes)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, yaml.YAMLError) as error:
            raise HTTPException(422, f"cannot be changed: {error}") from None
        return JSONResponse({"text": new, **await self.seen(new)})

    async def of_file(self, request: Request) -> Response:
        """The recipe in a picture or video."""
        content = await content_of(request, MOST_UPLOAD)
        suffix = _SUFFIXES.get(content[:4], ".jpg" if content[:3] == b"\xff\xd8\xff" else ".mp4")
        try:
            text = await run_in_threadpool(self._recipe_in, content, suffix)
        except PixforgeError as error:
            raise HTTPException(422, str(error)) from None
        return JSONResponse({"text": text})

    def _recipe_in(self, content: bytes, suffix: str) -> str:
        with tempfile.TemporaryDirectory(dir=self._folder.own, prefix="upload-") as home:
            path = Path(home) / f"file{suffix}"
            path.write_bytes(content)
            try:
                return recipes.of_file(path, self._folder.root)
            except PixforgeError as error:
                raise PixforgeError(str(error).replace(str(path), "the file")) from None

    async def keep(self, request: Request) -> Response:
        """Store a picture for recipes to name."""
        content = await content_of(request, MOST_UPLOAD)
        try:
            return JSONResponse(await run_in_threadpool(pictures.keep, self._folder, content), 201)
        except pictures.NoPicture as error:
            raise HTTPException(422, str(error)) from None
        except OSError as error:
            raise HTTPException(507, f"the picture cannot be kept ({error.strerror})") from None

    async def picture(self, request: Request) -> Response:
        """A picture that was stored."""
        path = pictures.find(self._folder, request.path_params["name"])
        if path is None:
            none()
        return FileResponse(path, media_type=media_type(path.name))

    async def seen(self, text: str) -> dict[str, Any]:
        """What is wrong with a text, words that are unknown, and its form."""
        async with self._reading:  # one after the other: whoever types faster than we read waits
            found = await run_in_threadpool(recipes.checked, text, self._folder.root)
        return {**found, "form": await run_in_threadpool(recipes.form, text)}
