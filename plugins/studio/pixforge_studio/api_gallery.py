"""Requests about what was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from pixforge.errors import PixforgeError
from pixforge_studio import comparing
from pixforge_studio.asking import MOST_UPLOAD, content_of, jpeg, json_of, none, number_of
from pixforge_studio.finding import Finder
from pixforge_studio.folder import Folder
from pixforge_studio.gallery import Gallery, Wish, media_type
from pixforge_studio.jobs import FINISHED, RUNNING
from pixforge_studio.line import Line

V1 = "/api/v1"


class GalleryApi:
    """Answers them."""

    def __init__(self, folder: Folder, line: Line) -> None:
        self._folder, self._line = folder, line
        self.gallery = Gallery(folder)
        self._finder = Finder(folder)

    def routes(self) -> list[Route]:
        """Where they are asked."""
        return [
            Route(f"{V1}/runs", self.runs),
            Route(f"{V1}/compare", self.compare),
            Route(f"{V1}/search", self.search, methods=["POST"]),
            Route(f"{V1}/search/picture", self.search_by_picture, methods=["POST"]),
            Route(f"{V1}/trash", self.trash),
            Route(f"{V1}/trash", self.empty, methods=["DELETE"]),
            Route(f"{V1}/trash/{{id}}/restore", self.restore, methods=["POST"]),
            Route(f"{V1}/runs/{{run:path}}/mark", self.mark, methods=["POST"]),
            Route(f"{V1}/runs/{{run:path}}/trash", self.throw_away, methods=["POST"]),
            Route(f"{V1}/runs/{{run:path}}/thumb.jpg", self.thumb),
            Route(f"{V1}/runs/{{run:path}}/files/{{name}}", self.file),
            Route(f"{V1}/runs/{{run:path}}", self.run),
        ]

    async def runs(self, request: Request) -> Response:
        """Some of the runs, newest first, or by their scores."""
        query = request.query_params
        first, most = number_of(query.get("offset"), 0, 10**9), number_of(query.get("limit"), 60, 500)
        found = await run_in_threadpool(self.gallery.runs, _wish(query))
        busy = {job.run for job in self._line.jobs.all.values() if job.state == RUNNING}
        found = [each for each in found if each["run"] not in busy]
        generators = sorted({each["generator"] for each in found} - {""})
        tags = sorted({tag for each in found for tag in each["tags"]})
        shown = [_without_search(each) for each in found[first : first + most]]
        return JSONResponse({"total": len(found), "runs": shown, "generators": generators, "tags": tags})

    async def search(self, request: Request) -> Response:
        """Runs that show what words say."""
        body = await json_of(request)
        words, run = body.get("words"), body.get("run")
        if isinstance(words, str) and 0 < len(words.strip()) <= 500:
            return await self._found(words)
        facts = await run_in_threadpool(self.gallery.details, run) if isinstance(run, str) else None
        picture = self._folder.file(facts["run"], facts["picture"]) if facts and facts["picture"] else None
        if picture is None:
            raise HTTPException(422, "words must be a text, or run the name of one with a picture")
        return await self._found(picture)

    async def search_by_picture(self, request: Request) -> Response:
        """Runs that look like a picture."""
        return await self._found(await content_of(request, MOST_UPLOAD))

    async def _found(self, query: str | bytes | Path) -> Response:
        try:
            scores = dict(await run_in_threadpool(self._finder.runs, query))
        except PixforgeError as error:
            raise HTTPException(422, str(error)) from None
        known = {each["run"]: each for each in await run_in_threadpool(self.gallery.runs)}
        runs = [
            {**_without_search(known[run]), "likeness": round(score, 4)}
            for run, score in scores.items()
            if run in known
        ]
        return JSONResponse({"total": len(runs), "runs": runs[:200]})

    async def compare(self, request: Request) -> Response:
        """What is different about some runs."""
        names = request.query_params.getlist("run")
        if not 2 <= len(names) <= comparing.MOST_RUNS:
            raise HTTPException(422, f"name 2 to {comparing.MOST_RUNS} runs")
        texts = [await run_in_threadpool(self.gallery.recipe, name) for name in names]
        if None in texts:
            none()
        found = await run_in_threadpool(comparing.compared, texts)
        details = [await run_in_threadpool(self.gallery.details, name) for name in names]
        return JSONResponse({"runs": [_without_search(each or {}) for each in details], "differences": found})

    async def mark(self, request: Request) -> Response:
        """Set star and tags of a run."""
        run, body = request.path_params["run"], await json_of(request)
        if self._folder.run(run) is None:
            none()
        try:
            put = self.gallery.shelf.put
            return JSONResponse(
                await run_in_threadpool(put, run, star=body.get("star"), tags=body.get("tags"))
            )
        except ValueError as error:
            raise HTTPException(422, str(error)) from None

    async def throw_away(self, request: Request) -> Response:
        """Move a run into the trash."""
        run = request.path_params["run"]
        if run in {job.run for job in self._line.jobs.all.values() if job.state != FINISHED}:
            raise HTTPException(409, "it is in the queue; take it off there first")
        try:
            gone = await run_in_threadpool(self.gallery.shelf.throw_away, run)
        except OSError as error:
            raise HTTPException(507, f"it cannot be moved ({error.strerror})") from None
        return JSONResponse({}) if gone else none()

    async def trash(self, _request: Request) -> Response:
        """What is in the trash."""
        return JSONResponse({"trash": await run_in_threadpool(self.gallery.shelf.trash)})

    async def restore(self, request: Request) -> Response:
        """Put a run back."""
        name = request.path_params["id"]
        run = await run_in_threadpool(self.gallery.shelf.restore, name)
        return JSONResponse({"run": run}) if run is not None else none()

    async def empty(self, _request: Request) -> Response:
        """Delete what is in the trash."""
        await run_in_threadpool(self.gallery.shelf.empty)
        return JSONResponse({})

    async def run(self, request: Request) -> Response:
        """All that is known of one."""
        found = await run_in_threadpool(self.gallery.details, request.path_params["run"])
        return JSONResponse(_without_search(found) if found else none())

    async def thumb(self, request: Request) -> Response:
        """A small picture."""
        made = await run_in_threadpool(self.gallery.thumb, request.path_params["run"])
        if made is None:
            none()
        return jpeg(made, **{"cache-control": "private, max-age=60"})

    async def file(self, request: Request) -> Response:
        """A picture, a video, or a text of a run."""
        name = request.path_params["name"]
        path, kind = self._folder.file(request.path_params["run"], name), media_type(name)
        if path is None or kind is None:
            none()
        return FileResponse(path, media_type=kind)


def _wish(query: Any) -> Wish:
    words, generator, tag = (query.get(name, "")[:500] for name in ("q", "generator", "tag"))
    numbers = {}
    for name in ("score", "since", "until"):
        if query.get(name):
            try:
                numbers[name] = float(query[name])
            except ValueError:
                raise HTTPException(422, f"{name} must be a number") from None
    star, by_score = query.get("star") == "1", query.get("sort") == "score"
    return Wish(words, generator, tag, star, by_score=by_score, **numbers)


def _without_search(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if key != "search"}
