"""The queue at work: its workers, their events, and everyone who watches."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixforge_studio import moments
from pixforge_studio.folder import Folder
from pixforge_studio.jobs import FAILED, FINISHED, RUNNING, STOPPED, WAITING, Job, Jobs
from pixforge_studio.seats import Seat, devices

TRIES = 3
"""Workers that may die over one run before it counts as failed."""
POINTS = 1500
"""Of a curve; where there are more, every second one is left out."""
PATIENCE = 60
"""Seconds in which a worker saves its run when the studio ends."""
BEAT = 10
"""Seconds of silence after which a watcher is told that all is well."""
AGAIN = 5
"""Seconds until a worker that could not be started is tried again."""
PACE = 0.1
"""Seconds between two messages to a watcher at least."""
MOST_NOTES = 20
MOST_WATCHERS = 64


@dataclass
class Live:
    """What is known of a run while the studio lives: its last picture, and its losses."""

    jpeg: bytes = b""
    cutouts: bytes = b""
    points: list[list[Any]] = field(default_factory=list)
    thinned: int = 0
    every: int = 1

    def add(self, step: int, losses: dict[str, float]) -> None:
        """Keep a point of the curve; nothing that a resumed run makes once more stands twice."""
        while self.points and self.points[-1][0] >= step:
            self.points.pop()
        self.points.append([step, losses])
        if len(self.points) > POINTS:
            self.points = self.points[::2]
            self.thinned += 1


class Watcher:
    """Someone who wants to know.

    What changes is marked, and told with its newest value: whoever is slow misses values in between, and costs no memory.
    """

    def __init__(self) -> None:
        self.news: dict[tuple[str, int], None] = {}
        self.woken = asyncio.Event()
        self.sent: dict[int, tuple[int, int]] = {}


class Line:
    """Makes what waits: one run after the other on each device."""

    def __init__(self, folder: Folder, *, cold: bool = False, places: list[str] | None = None) -> None:
        self.folder = folder
        self.jobs = Jobs(folder)
        known = {moments_of(folder, job) for job in self.jobs.all.values()}
        for each in (folder.own / "moments").glob("*"):
            if each not in known:  # of entries that were finished when the studio ended
                moments.forget(each)
        self.live: dict[int, Live] = {}
        self.closing = False
        self._watchers: set[Watcher] = set()
        self._wake = asyncio.Event()
        self._to_go_back: set[int] = set()
        """Runs that were told to end in order to go back, and not yet to begin again."""
        places = devices() if places is None else places
        self._seats = [Seat(folder, number, each, cold=cold) for number, each in enumerate(places)]
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin to work."""
        self._tasks = [asyncio.create_task(self._work(seat)) for seat in self._seats]

    async def close(self) -> None:
        """Save the run in progress; it goes on when the studio is opened again."""
        self.closing = True
        self._wake.set()
        for seat in self._seats:
            seat.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE)

    def shown(self, job: Job) -> dict[str, Any]:
        """What the page and scripts get of an entry: no number of pictures that went with an earlier studio."""
        live = self.live.get(job.id) or Live()
        pictures = {"previews": job.previews if live.jpeg else 0, "looks": job.looks if live.cutouts else 0}
        return {**job.shown(), **pictures}

    # What people ask for.

    def add(self, text: str, name: str) -> Job:
        """Queue a recipe."""
        job = self.jobs.add(text, name)
        self._wake.set()
        self._tell("queue")
        return job

    def stop(self, job: Job) -> None:
        """End it: one that waits is stopped at once, one that runs after its step, and is saved."""
        if job.state == WAITING:
            job.state = STOPPED
            self._changed(job)
        elif job.state == RUNNING:
            job.paused = False
            self._order(job, "stop")
            self._changed(job)

    def pause(self, job: Job, *, paused: bool) -> None:
        """Keep it waiting after its step, or let it go on."""
        if job.state in {WAITING, RUNNING} and job.paused != paused:
            job.paused = paused
            self._order(job, "pause" if paused else "proceed")
            self._changed(job)

    def retry(self, job: Job) -> None:
        """Go on with what was stopped or failed."""
        if job.state in {STOPPED, FAILED}:
            job.state, job.error, job.tries, job.paused = WAITING, "", 0, False
            self._changed(job)
            self._wake.set()

    def change(self, job: Job, changes: dict[str, Any]) -> None:
        """Go on with other values by their paths; without any, only keep this moment."""
        self._order(job, "change", changes=changes)

    def look(self, job: Job) -> None:
        """Get what the perceptors see."""
        self._order(job, "look")

    def back(self, job: Job, step: int) -> None:
        """Go back to a moment that is kept, and on from there."""
        job.back = step
        if job.state == RUNNING:
            job.paused = False
            self._to_go_back.add(job.id)
            self._order(job, "stop")
        else:
            self._go_back(job)
        self._changed(job)

    def _go_back(self, job: Job) -> None:
        job.state, job.error, job.tries, job.paused, job.score = WAITING, "", 0, False, None
        job.step = job.back
        self._wake.set()

    def first(self, job: Job) -> None:
        """Make it next."""
        if job.state == WAITING:
            self.jobs.first(job)
            self._tell("queue")

    def move(self, job: Job, before: Job | None) -> None:
        """Make it before another entry, or last."""
        self.jobs.move(job, before)
        self._tell("queue")

    def sweep(self, texts: list[str], names: list[str], title: str) -> list[Job]:
        """Queue recipes that are one entry on the page."""
        group, made = 0, []
        for text, name in zip(texts, names, strict=True):
            job = self.jobs.add(text, name)
            group = group or job.id
            job.group, job.of, job.title = group, len(texts), title
            self.jobs.save(job)
            made.append(job)
        self._wake.set()
        self._tell("queue")
        return made

    def forget(self, job: Job) -> bool:
        """Take it off the list; not while it runs."""
        if job.state == RUNNING:
            return False
        self.jobs.forget(job)
        moments.forget(moments_of(self.folder, job))
        self.live.pop(job.id, None)
        self._tell("queue")
        return True

    def _order(self, job: Job, word: str, **more: Any) -> None:
        for seat in self._seats:
            if job.state == RUNNING and seat.job == job.id:
                seat.tell({"do": word, "id": job.id, **more})

    # The work.

    async def _work(self, seat: Seat) -> None:
        try:
            while not self.closing:
                started = await self._ready(seat)
                job = self.jobs.next()
                if started and job is not None:
                    await self._make(job, seat)
                    continue
                self._wake.clear()
                if not self.closing:  # it may have begun to close while the worker was started
                    with suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), None if started else AGAIN)
        finally:
            if seat.process is not None:
                seat.close()
                await seat.ended()

    async def _ready(self, seat: Seat) -> bool:
        """Whether the worker is there; where it cannot be started, the entry that waits for it says why."""
        try:
            await seat.ready()
        except OSError as error:
            if (job := self.jobs.next()) is not None:
                self._note(job, f"the process that makes runs cannot be started ({error.strerror or error})")
                self._changed(job)
            return False
        return True

    async def _make(self, job: Job, seat: Seat) -> None:
        order = {"do": "run", "id": job.id, "text": job.text, "name": job.name, "paused": job.paused}
        order |= {"out": str(self.folder.root / job.run), "begun": job.begun, "back": job.back}
        order["moments"] = str(moments_of(self.folder, job))
        self._to_go_back.discard(job.id)
        job.state, job.begun = RUNNING, job.begun or not (self.folder.root / job.run).exists()
        self.live.setdefault(job.id, Live())
        self._changed(job)
        await seat.begin(order)
        while job.state == RUNNING:
            event = await seat.event()
            if event is not None:
                self._take(job, event)
            else:
                await self._died(job, seat)
        seat.job = 0

    async def _died(self, job: Job, seat: Seat) -> None:
        status = await seat.ended()
        job.tries += 1
        job.state, job.paused = WAITING, job.paused
        if not self.closing and job.tries >= TRIES:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            hint = (
                "; maybe memory did not suffice: a smaller size or fewer cutouts need less"
                if status == -9
                else ""
            )
            job.state, job.error = FAILED, f"the process that made it {how}, {job.tries} times{hint}"
        self._changed(job)

    def _take(self, job: Job, event: dict[str, Any]) -> None:
        take = _TAKE.get(event["event"])
        if take is not None:
            take(self, job, event)

    def _started(self, job: Job, event: dict[str, Any]) -> None:
        job.steps, job.step = event["steps"], event["step"]
        if job.id not in self._to_go_back:  # the wish is fulfilled, unless it came while the run was built
            job.back = -1
        self._changed(job)

    def _saved(self, job: Job, event: dict[str, Any]) -> None:
        job.moments = event["moments"]
        self._changed(job)

    def _looked(self, job: Job, event: dict[str, Any]) -> None:
        self.live[job.id].cutouts = base64.b64decode(event["jpeg"])
        job.looks += 1
        self._tell("queue")

    def _step(self, job: Job, event: dict[str, Any]) -> None:
        job.step, job.rate, job.tries = event["step"], event["rate"], 0
        job.memory = event["memory"]
        job.left = event["left"]
        self.live[job.id].add(job.step, event["losses"])
        self._tell("step", job.id)

    def _preview(self, job: Job, event: dict[str, Any]) -> None:
        self.live[job.id].jpeg = base64.b64decode(event["jpeg"])
        job.previews += 1
        self._tell("preview", job.id)

    def _warned(self, job: Job, event: dict[str, Any]) -> None:
        self._note(job, event["text"])
        self._tell("queue")

    @staticmethod
    def _note(job: Job, text: str) -> None:
        job.notes = [*job.notes, text][-MOST_NOTES:]

    def _ended(self, job: Job, event: dict[str, Any]) -> None:
        job.error, job.score, job.left = event["error"], event.get("score"), None
        if job.back >= 0 and event["state"] in {STOPPED, FINISHED} and not self.closing:
            self._go_back(job)
        elif event["state"] == FINISHED:
            for gone in self.jobs.done(job):
                moments.forget(moments_of(self.folder, gone))
            self.live = {key: live for key, live in self.live.items() if key in self.jobs.all}
        else:
            stopped_by_end = event["state"] == STOPPED and self.closing
            job.state = WAITING if stopped_by_end else event["state"]
        self._changed(job)

    def _changed(self, job: Job) -> None:
        """Write and tell it. Where the disk is full the queue goes on all the same, and says so."""
        try:
            if job.state != FINISHED:
                self.jobs.save(job)
        except OSError as error:
            text = f"the queue cannot be written ({error.strerror or error}); a studio opened anew has it as it was before"
            if text not in job.notes:
                self._note(job, text)
        self._tell("queue")

    # Those who watch.

    def _tell(self, what: str, number: int = 0) -> None:
        for watcher in self._watchers:
            watcher.news[what, number] = None
            watcher.woken.set()

    def enter(self) -> Watcher | None:
        """Someone new who watches, to whom all is told first; None where there are too many. `leave` must follow."""
        if len(self._watchers) >= MOST_WATCHERS:
            return None
        watcher = Watcher()
        watcher.news["queue", 0] = None
        for number in self.live:
            watcher.news |= {("step", number): None, ("preview", number): None}
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Tell that one nothing more."""
        self._watchers.discard(watcher)

    async def watch(
        self, watcher: Watcher, over: Callable[[], bool]
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """What happens, and first how things are; an empty message now and then."""
        silent = 0
        while not over() and not self.closing:
            news, watcher.news = watcher.news, {}
            watcher.woken.clear()
            for what, number in news:
                if (message := self._message(what, number, watcher)) is not None:
                    yield what, message
            silent = 0 if news else silent + 1
            if silent >= BEAT:
                silent = 0
                yield "", {}
            await asyncio.sleep(PACE)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(watcher.woken.wait(), 1)

    def _message(self, what: str, number: int, watcher: Watcher) -> dict[str, Any] | None:
        if what == "queue":
            return {"jobs": [self.shown(job) for job in self.jobs.in_order()]}
        job, live = self.jobs.all.get(number), self.live.get(number)
        if job is None or live is None or (what == "preview" and not live.jpeg):
            return None
        if what == "preview":
            return {"id": number, "preview": job.previews}
        thinned, last = watcher.sent.get(number, (-1, -1))
        fresh = thinned != live.thinned or bool(live.points and live.points[-1][0] <= last)
        points = live.points if fresh else [each for each in live.points if each[0] > last]
        watcher.sent[number] = (live.thinned, live.points[-1][0] if live.points else -1)
        numbers = ("step", "steps", "rate", "left", "memory")
        about = {"id": number, **{name: getattr(job, name) for name in numbers}}
        return {**about, "fresh": fresh, "points": points}


def moments_of(folder: Folder, job: Job) -> Path:
    """Where the earlier checkpoints of an entry are kept."""
    return folder.own / "moments" / str(job.id)


_TAKE: dict[str, Callable[[Line, Job, dict[str, Any]], None]] = {
    "started": Line._started,  # noqa: SLF001 - its own
    "step": Line._step,  # noqa: SLF001
    "preview": Line._preview,  # noqa: SLF001
    "saved": Line._saved,  # noqa: SLF001
    "looked": Line._looked,  # noqa: SLF001
    "changed": Line._warned,  # noqa: SLF001
    "warned": Line._warned,  # noqa: SLF001
    "ended": Line._ended,  # noqa: SLF001
}
