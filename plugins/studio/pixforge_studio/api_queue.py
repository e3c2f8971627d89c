"""Requests about the queue, and about runs that go on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from pixforge.errors import PixforgeError
from pixforge_studio import dials, recipes, sweeping
from pixforge_studio.api_recipes import RecipeApi
from pixforge_studio.asking import jpeg, json_of, text_of
from pixforge_studio.folder import Folder
from pixforge_studio.jobs import RUNNING, Job
from pixforge_studio.line import Line, Live, Watcher

V1 = "/api/v1"
MOST_WAITING = 1000
NO_ENTRY = "there is no such entry"


class QueueApi:
    """Answers them."""

    def __init__(self, folder: Folder, line: Line, recipes_: RecipeApi, over: Callable[[], bool]) -> None:
        self._folder, self._line, self._recipes, self._over = folder, line, recipes_, over

    def routes(self) -> list[Route]:
        """Where they are asked."""
        job = f"{V1}/jobs/{{id:int}}"
        moves = [
            Route(f"{job}/{word}", self._move(word), methods=["POST"])
            for word in ("stop", "pause", "proceed", "retry", "first", "look", "mark")
        ]
        return [
            Route(f"{V1}/jobs", self.jobs),
            Route(f"{V1}/jobs", self.add, methods=["POST"]),
            Route(f"{V1}/sweeps", self.sweep, methods=["POST"]),
            Route(f"{job}/place", self.place, methods=["POST"]),
            Route(f"{job}/redo", self.redo, methods=["POST"]),
            Route(job, self.job),
            Route(job, self.forget, methods=["DELETE"]),
            Route(f"{job}/dials", self.dials),
            Route(f"{job}/change", self.change, methods=["POST"]),
            Route(f"{job}/back", self.back, methods=["POST"]),
            Route(f"{job}/preview.jpg", self.preview),
            Route(f"{job}/cutouts.jpg", self.cutouts),
            Route(f"{V1}/events", self.events),
            *moves,
        ]

    async def jobs(self, _request: Request) -> Response:
        """All entries."""
        return JSONResponse({"jobs": [self._line.shown(job) for job in self._line.jobs.in_order()]})

    async def add(self, request: Request) -> Response:
        """Queue a recipe that is valid."""
        text = text_of(await json_of(request))
        if len(self._line.jobs.all) >= MOST_WAITING:
            raise HTTPException(429, f"the queue has {MOST_WAITING} entries; take some away first")
        seen = await self._recipes.seen(text)
        if seen["problems"]:
            return JSONResponse({"error": "the recipe is not valid", **seen}, 422)
        job = self._line.add(text, recipes.name_of(text))
        return JSONResponse(self._line.shown(job), 201)

    async def sweep(self, request: Request) -> Response:
        """Queue a recipe with several values of some fields."""
        body = await json_of(request)
        text, values = text_of(body), body.get("values")
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
        return JSONResponse({"jobs": [self._line.shown(each) for each in made]}, 201)

    async def place(self, request: Request) -> Response:
        """Make an entry before another one, or last."""
        job, before = self._job(request), (await json_of(request)).get("before")
        other = self._line.jobs.all.get(before) if type(before) is int else None
        if before is not None and (other is None or other is job):
            raise HTTPException(422, "before must be the number of another entry, or null for the end")
        self._line.move(job, other)
        return JSONResponse(self._line.shown(job))

    async def redo(self, request: Request) -> Response:
        """Queue the recipe of an entry once more."""
        job = self._job(request)
        if len(self._line.jobs.all) >= MOST_WAITING:
            raise HTTPException(429, f"the queue has {MOST_WAITING} entries; take some away first")
        return JSONResponse(self._line.shown(self._line.add(job.text, job.name)), 201)

    async def job(self, request: Request) -> Response:
        """One entry with its recipe and its curve."""
        job = self._job(request)
        live = self._line.live.get(job.id)
        return JSONResponse(
            {**self._line.shown(job), "text": job.text, "points": live.points if live else []}
        )

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
            return JSONResponse(line.shown(job))

        return move

    async def dials(self, request: Request) -> Response:
        """What may be changed while it runs, as it is now."""
        run = self._folder.root / self._job(request).run
        return JSONResponse({"dials": await run_in_threadpool(dials.dials, run)})

    async def change(self, request: Request) -> Response:
        """Go on with other values."""
        job, changes = self._job(request), (await json_of(request)).get("changes")
        if not isinstance(changes, dict) or len(changes) > dials.MOST:
            raise HTTPException(422, f"changes must be a mapping of at most {dials.MOST} paths to values")
        if job.state != RUNNING or not job.steps:
            raise HTTPException(409, "it does not run; its recipe can be changed before it is run again")
        why = await run_in_threadpool(dials.refusal, self._folder.root / job.run, changes)
        if why is not None:
            raise HTTPException(422, why)
        self._line.change(job, changes)
        return JSONResponse(self._line.shown(job))

    async def back(self, request: Request) -> Response:
        """Go back to a moment."""
        job, step = self._job(request), (await json_of(request)).get("step")
        if isinstance(step, bool) or step not in job.moments:
            raise HTTPException(
                422, f"it can go back to the steps {', '.join(map(str, job.moments)) or '(none)'}"
            )
        self._line.back(job, step)
        return JSONResponse(self._line.shown(job))

    async def cutouts(self, request: Request) -> Response:
        """The newest cutouts that were asked for."""
        return jpeg(self._live(request).cutouts)

    async def preview(self, request: Request) -> Response:
        """The newest picture of a run."""
        return jpeg(self._live(request).jpeg)

    async def events(self, _request: Request) -> Response:
        """What happens, as server-sent events."""
        watcher = self._line.enter()
        if watcher is None:
            raise HTTPException(503, "too many pages watch already")
        return Events(self._line, watcher, self._over)

    def _live(self, request: Request) -> Live:
        """What is known of an entry; nothing of one that was taken off the list."""
        number = request.path_params["id"]
        if not self._line.jobs.was(number):
            raise HTTPException(404, NO_ENTRY)
        return self._line.live.get(number) or Live()

    def _job(self, request: Request) -> Job:
        job = self._line.jobs.all.get(request.path_params["id"])
        if job is None:
            raise HTTPException(404, NO_ENTRY)
        return job


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
