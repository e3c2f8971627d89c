"""What the page and scripts may ask, as `openapi.py` describes it."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

import pixforge
from pixforge.errors import PixforgeError, plain_text
from pixforge_studio import comparing, completion, dials, pictures, recipes, strip, sweeping
from pixforge_studio.finding import Finder
from pixforge_studio.folder import Folder
from pixforge_studio.gallery import Gallery, Wish, media_type
from pixforge_studio.guard import Guard
from pixforge_studio.jobs import FINISHED, RUNNING, Job
from pixforge_studio.line import Line, Watcher
from pixforge_studio.openapi import described

MOST_JSON = 2**20
MOST_UPLOAD = 2**26
SLOW = 30
"""Seconds in which a request's content must be there."""
MOST_WAITING = 1000
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
        self._folder, self._line, self._over = folder, line, over
        self.gallery = Gallery(folder)
        self._finder = Finder(folder)
        self._reading = asyncio.Lock()
        self._schema: dict[str, Any] | None = None
        self.guard: Guard | None = None

    def routes(self) -> list[Route]:
        """All of them."""
        v1, job = "/api/v1", "/api/v1/jobs/{id:int}"
        moves = [
            Route(f"{job}/{word}", self._move(word), methods=["POST"])
            for word in ("stop", "pause", "proceed", "retry", "first", "look", "mark")
        ]
        return [
            Route("/", self.page),
            Route("/{name}", self.part),
            Route(f"{v1}/openapi.json", self.openapi),
            Route(f"{v1}/schema", self.schema),
            Route(f"{v1}/recipes/check", self.check, methods=["POST"]),
            Route(f"{v1}/recipes/complete", self.complete, methods=["POST"]),
            Route(f"{v1}/recipes/about", self.about, methods=["POST"]),
            Route(f"{v1}/recipes/strip", self.strip, methods=["POST"]),
            Route(f"{v1}/recipes/put", self.put, methods=["POST"]),
            Route(f"{v1}/recipes/edit", self.edit, methods=["POST"]),
            Route(f"{v1}/recipes/of-file", self.of_file, methods=["POST"]),
            Route(f"{v1}/pictures", self.keep, methods=["POST"]),
            Route(f"{v1}/pictures/{{name}}", self.picture),
            Route(f"{v1}/jobs", self.jobs),
            Route(f"{v1}/jobs", self.add, methods=["POST"]),
            Route(f"{v1}/sweeps", self.sweep, methods=["POST"]),
            Route(f"{job}/place", self.place, methods=["POST"]),
            Route(f"{job}/redo", self.redo, methods=["POST"]),
            Route(job, self.job),
            Route(job, self.forget, methods=["DELETE"]),
            *moves,
            Route(f"{job}/dials", self.dials),
            Route(f"{job}/change", self.change, methods=["POST"]),
            Route(f"{job}/back", self.back, methods=["POST"]),
            Route(f"{job}/preview.jpg", self.preview),
            Route(f"{job}/cutouts.jpg", self.cutouts),
            Route(f"{v1}/events", self.events),
            Route(f"{v1}/runs", self.runs),
            Route(f"{v1}/compare", self.compare),
            Route(f"{v1}/search", self.search, methods=["POST"]),
            Route(f"{v1}/search/picture", self.search_by_picture, methods=["POST"]),
            Route(f"{v1}/trash", self.trash),
            Route(f"{v1}/trash", self.empty, methods=["DELETE"]),
            Route(f"{v1}/trash/{{id}}/restore", self.restore, methods=["POST"]),
            Route(f"{v1}/runs/{{run:path}}/mark", self.mark, methods=["POST"]),
            Route(f"{v1}/runs/{{run:path}}/trash", self.throw_away, methods=["POST"]),
            Route(f"{v1}/runs/{{run:path}}/thumb.jpg", self.thumb),
            Route(f"{v1}/runs/{{run:path}}/files/{{name}}", self.file),
            Route(f"{v1}/runs/{{run:path}}", self.run),
        ]

    # The page.

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

    # Recipes.

    async def openapi(self, request: Request) -> Response:
        """What this file does, for programs."""
        return JSONResponse(described(str(request.base_url)))

    async def schema(self, _request: Request) -> Response:
        """The JSON Schema of recipes."""
        return Response(await run_in_threadpool(pixforge.schema_text), media_type="application/schema+json")

    async def check(self, request: Request) -> Response:
        """Say what is wrong with a text, and what the form shows of it."""
        return JSONResponse(await self._seen(_text_of(await self._json(request))))

    async def complete(self, request: Request) -> Response:
        """What could stand at a place of a text."""
        return await self._at(request, completion.options)

    async def about(self, request: Request) -> Response:
        """What the word at a place of a text means."""
        return await self._at(request, completion.about)

    async def _at(self, request: Request, ask: Callable[..., dict[str, Any]]) -> Response:
        body = await self._json(request)
        text, offset = _text_of(body), body.get("offset")
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
        text = _text_of(await self._json(request))
        return JSONResponse(await run_in_threadpool(strip.strip, text, await self._known_schema()))

    async def put(self, request: Request) -> Response:
        """Change the value at a place of a text."""
        body = await self._json(request)
        text, place = _text_of(body), body.get("path")
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
        return JSONResponse({"text": new, **await self._seen(new)})

    async def edit(self, request: Request) -> Response:
        """Change fields of a text."""
        body = await self._json(request)
        text, changes = _text_of(body), body.get("changes")
        if not isinstance(changes, dict):
            raise HTTPException(422, "changes must be a mapping of fields to values")
        try:
            new = await run_in_threadpool(recipes.edited, text, changes)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise HTTPException(422, f"cannot be changed: {error}") from None
        return JSONResponse({"text": new, **await self._seen(new)})

    async def of_file(self, request: Request) -> Response:
        """The recipe in a picture or video."""
        content = await _content(request, MOST_UPLOAD)
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
        content = await _content(request, MOST_UPLOAD)
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
            _none()
        assert path is not None
        return FileResponse(path, media_type=media_type(path.name))

    async def _seen(self, text: str) -> dict[str, Any]:
        async with self._reading:  # one after the other: whoever types faster than we read waits
            found = await run_in_threadpool(recipes.checked, text, self._folder.root)
        return {**found, "form": await run_in_threadpool(recipes.form, text)}

    # The queue.

    async def jobs(self, _request: Request) -> Response:
        """All entries."""
        return JSONResponse({"jobs": [job.shown() for job in self._line.jobs.in_order()]})

    async def add(self, request: Request) -> Response:
        """Queue a recipe that is valid."""
        text = _text_of(await self._json(request))
        if len(self._line.jobs.all) >= MOST_WAITING:
            raise HTTPException(429, f"the queue has {MOST_WAITING} entries; take some away first")
        seen = await self._seen(text)
        if seen["problems"]:
            return JSONResponse({"error": "the recipe is not valid", **seen}, 422)
        job = self._line.add(text, recipes.name_of(text))
        return JSONResponse(job.shown(), 201)

    async def sweep(self, request: Request) -> Response:
        """Queue a recipe with several values of some fields."""
        body = await self._json(request)
        text, values = _text_of(body), body.get("values")
        if not isinstance(values, dict) or len(values) > 10:
            raise HTTPException(422, "values must be a mapping of at most 10 paths to texts")
        try:
            found = await run_in_threadpool(sweeping.recipes_of, text, values, self._folder.root)
        except PixforgeError as error:
            raise HTTPException(422, str(error)) from None
        if len(self._line.jobs.all) + len(found) > MOST_WAITING:
            raise HTTPException(429, f"the queue may have {MOST_WAITING} entries; take some away first")
        names = [f"{recipes.name_of(each)}: {words}"[:200] for each, words in found]
        title = f"{recipes.name_of(text)}: {', '.join(values)}"[:200]
        made = self._line.sweep([each for each, _ in found], names, title)
        return JSONResponse({"jobs": [each.shown() for each in made]}, 201)

    async def place(self, request: Request) -> Response:
        """Make an entry before another one, or last."""
        job, before = self._job(request), (await self._json(request)).get("before")
        other = self._line.jobs.all.get(before) if type(before) is int else None
        if before is not None and (other is None or other is job):
            raise HTTPException(422, "before must be the number of another entry, or null for the end")
        self._line.move(job, other)
        return JSONResponse(job.shown())

    async def redo(self, request: Request) -> Response:
        """Queue the recipe of an entry once more."""
        job = self._job(request)
        if len(self._line.jobs.all) >= MOST_WAITING:
            raise HTTPException(429, f"the queue has {MOST_WAITING} entries; take some away first")
        return JSONResponse(self._line.add(job.text, job.name).shown(), 201)

    async def job(self, request: Request) -> Response:
        """One entry with its recipe and its curve."""
        job = self._job(request)
        live = self._line.live.get(job.id)
        return JSONResponse({**job.shown(), "text": job.text, "points": live.points if live else []})

    async def forget(self, request: Request) -> Response:
        """Take an entry off the list."""
        if not self._line.forget(self._job(request)):
            raise HTTPException(409, "it is running; stop it first")
        return JSONResponse({})

    def _move(self, word: str) -> Callable[[Request], Any]:
        async def move(request: Request) -> Response:
            job, line = self._job(request), self._line
            moves: dict[str, Callable[[], Any]] = {
                "stop": lambda: line.stop(job),
                "pause": lambda: line.pause(job, paused=True),
                "proceed": lambda: line.pause(job, paused=False),
                "retry": lambda: line.retry(job),
                "first": lambda: line.first(job),
                "look": lambda: line.look(job),
                "mark": lambda: line.change(job, {}),
            }
            moves[word]()
            return JSONResponse(job.shown())

        return move

    async def dials(self, request: Request) -> Response:
        """What may be changed while it runs, as it is now."""
        run = self._folder.root / self._job(request).run
        return JSONResponse({"dials": await run_in_threadpool(dials.dials, run)})

    async def change(self, request: Request) -> Response:
        """Go on with other values."""
        job, changes = self._job(request), (await self._json(request)).get("changes")
        if not isinstance(changes, dict) or len(changes) > dials.MOST:
            raise HTTPException(422, f"changes must be a mapping of at most {dials.MOST} paths to values")
        if job.state != RUNNING or not job.steps:
            raise HTTPException(409, "it does not run; its recipe can be changed before it is run again")
        why = await run_in_threadpool(dials.refusal, self._folder.root / job.run, changes)
        if why is not None:
            raise HTTPException(422, why)
        self._line.change(job, changes)
        return JSONResponse(job.shown())

    async def back(self, request: Request) -> Response:
        """Go back to a moment."""
        job, step = self._job(request), (await self._json(request)).get("step")
        if isinstance(step, bool) or step not in job.moments:
            raise HTTPException(
                422, f"it can go back to the steps {', '.join(map(str, job.moments)) or '(none)'}"
            )
        self._line.back(job, step)
        return JSONResponse(job.shown())

    async def cutouts(self, request: Request) -> Response:
        """The newest cutouts that were asked for."""
        live = self._line.live.get(self._job(request).id)
        if live is None or not live.cutouts:
            raise HTTPException(404, "there are no cutouts yet; look asks for them")
        return Response(live.cutouts, media_type="image/jpeg")

    async def preview(self, request: Request) -> Response:
        """The newest picture of a run."""
        live = self._line.live.get(self._job(request).id)
        if live is None or not live.jpeg:
            raise HTTPException(404, "there is no picture yet")
        return Response(live.jpeg, media_type="image/jpeg")

    async def events(self, _request: Request) -> Response:
        """What happens, as server-sent events."""
        watcher = self._line.enter()
        if watcher is None:
            raise HTTPException(503, "too many pages watch already")
        return Events(self._line, watcher, self._over)

    def _job(self, request: Request) -> Job:
        job = self._line.jobs.all.get(request.path_params["id"])
        if job is None:
            raise HTTPException(404, "there is no such entry")
        return job

    # The gallery.

    async def runs(self, request: Request) -> Response:
        """Some of the runs, newest first, or by their scores."""
        query = request.query_params
        first, most = _number(query.get("offset"), 0, 10**9), _number(query.get("limit"), 60, 500)
        found = await run_in_threadpool(self.gallery.runs, _wish(query))
        found = [each for each in found if each["run"] not in self._busy()]
        generators = sorted({each["generator"] for each in found} - {""})
        tags = sorted({tag for each in found for tag in each["tags"]})
        shown = [_without_search(each) for each in found[first : first + most]]
        return JSONResponse({"total": len(found), "runs": shown, "generators": generators, "tags": tags})

    def _busy(self) -> set[str]:
        return {job.run for job in self._line.jobs.all.values() if job.state == RUNNING}

    async def search(self, request: Request) -> Response:
        """Runs that show what words say."""
        body = await self._json(request)
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
        return await self._found(await _content(request, MOST_UPLOAD))

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
            _none()
        found = await run_in_threadpool(comparing.compared, texts)
        details = [await run_in_threadpool(self.gallery.details, name) for name in names]
        return JSONResponse({"runs": [_without_search(each or {}) for each in details], "differences": found})

    async def mark(self, request: Request) -> Response:
        """Set star and tags of a run."""
        run, body = request.path_params["run"], await self._json(request)
        if self._folder.run(run) is None:
            _none()
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
        return JSONResponse({}) if gone else _none()

    async def trash(self, _request: Request) -> Response:
        """What is in the trash."""
        return JSONResponse({"trash": await run_in_threadpool(self.gallery.shelf.trash)})

    async def restore(self, request: Request) -> Response:
        """Put a run back."""
        name = request.path_params["id"]
        run = await run_in_threadpool(self.gallery.shelf.restore, name)
        return JSONResponse({"run": run}) if run is not None else _none()

    async def empty(self, _request: Request) -> Response:
        """Delete what is in the trash."""
        await run_in_threadpool(self.gallery.shelf.empty)
        return JSONResponse({})

    async def run(self, request: Request) -> Response:
        """All that is known of one."""
        found = await run_in_threadpool(self.gallery.details, request.path_params["run"])
        return JSONResponse(_without_search(found) if found else _none())

    async def thumb(self, request: Request) -> Response:
        """A small picture."""
        made = await run_in_threadpool(self.gallery.thumb, request.path_params["run"])
        if made is None:
            _none()
        return Response(made, media_type="image/jpeg", headers={"cache-control": "private, max-age=60"})

    async def file(self, request: Request) -> Response:
        """A picture, a video, or a text of a run."""
        name = request.path_params["name"]
        path, kind = self._folder.file(request.path_params["run"], name), media_type(name)
        if path is None or kind is None:
            _none()
        assert path is not None
        return FileResponse(path, media_type=kind)

    @staticmethod
    async def _json(request: Request) -> dict[str, Any]:
        try:
            found = json.loads(await _content(request, MOST_JSON) or b"{}")
        except (ValueError, RecursionError):
            raise HTTPException(400, "the content is not JSON") from None
        if not isinstance(found, dict):
            raise HTTPException(400, "the content must be a JSON object")
        return found


class Events(StreamingResponse):
    """Server-sent events to one watcher, who has left when the connection ends, however it does."""

    def __init__(self, line: Line, watcher: Watcher, over: Callable[[], bool]) -> None:
        super().__init__(self._lines(line, watcher, over), media_type="text/event-stream")
        self._line, self._watcher = line, watcher

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send until the end."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._line.leave(self._watcher)

    @staticmethod
    async def _lines(line: Line, watcher: Watcher, over: Callable[[], bool]) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        async for what, message in line.watch(watcher, over):
            yield f"event: {what}\ndata: {json.dumps(message)}\n\n" if what else ": still here\n\n"


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


async def _content(request: Request, most: int) -> bytes:
    """The content of a request, which must not be large, and not slow."""
    said = request.headers.get("content-length", "0")
    if said.isdigit() and int(said) > most:
        raise HTTPException(413, f"the content has more than {most} bytes")
    try:
        return await asyncio.wait_for(_chunks(request, most), SLOW)
    except asyncio.TimeoutError:
        raise HTTPException(408, f"the content was not there within {SLOW} s") from None


async def _chunks(request: Request, most: int) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise HTTPException(413, f"the content has more than {most} bytes")
    return bytes(content)


def _text_of(body: dict[str, Any]) -> str:
    text = body.get("text")
    if not isinstance(text, str):
        raise HTTPException(422, "text must be the recipe, a text")
    if len(text) > recipes.MOST:
        raise HTTPException(413, f"a recipe has at most {recipes.MOST} characters here")
    return text


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


def _number(text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HTTPException(422, "offset and limit must be whole numbers")
    return min(int(text), most)


def _none() -> Any:
    raise HTTPException(404, "there is no such run or file")


def _of_page(name: str, kind: str) -> Response:
    content = (files("pixforge_studio") / "page" / name).read_bytes()
    return Response(content, media_type=kind)


_SUFFIXES = {
    b"\x89PNG": ".png",
    b"RIFF": ".webp",
    b"GIF8": ".gif",
    b"\x1a\x45\xdf\xa3": ".webm",
}
