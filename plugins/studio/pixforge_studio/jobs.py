"""What is to be made: each entry of the queue, and its file, by which it survives."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pixforge_studio.folder import Folder, read_json, write_json

WAITING, RUNNING, FAILED, STOPPED, FINISHED = "waiting", "running", "failed", "stopped", "finished"
STATES = (WAITING, RUNNING, FAILED, STOPPED, FINISHED)
RECENT = 10
"""Finished entries that are still shown."""


@dataclass
class Job:
    """An entry of the queue.

    `run` is the name of its folder, which is its own when it has `begun`. `tries` counts the workers that died over it
    without a step being made since. `back` is the step that it goes back to when it goes on, -1 for none; `moments` are
    those that it can go back to. Entries of a sweep have a `group` in common, of which there were `of` once.
    """

    id: int
    text: str
    name: str
    run: str
    place: float
    state: str = WAITING
    paused: bool = False
    error: str = ""
    tries: int = 0
    begun: bool = False
    steps: int = 0
    step: int = 0
    rate: float = 0.0
    left: float | None = None
    score: float | None = None
    previews: int = 0
    notes: list[str] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    back: int = -1
    looks: int = 0
    memory: dict[str, float] = field(default_factory=dict)
    group: int = 0
    of: int = 0
    title: str = ""

    def shown(self) -> dict[str, Any]:
        """What others than the studio may know."""
        hidden = {"text", "place", "tries", "begun", "back"}
        return {key: value for key, value in asdict(self).items() if key not in hidden}


class Jobs:
    """All entries, in the order in which they are made. What changes is written at once."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._home = folder.own / "jobs"
        self.all: dict[int, Job] = {}
        for path in sorted(self._home.glob("*.json")):
            job = _read(read_json(path))
            if job is None:
                path.rename(path.with_suffix(".damaged"))  # kept for people to look at, and said no more
                continue
            if job.state == RUNNING:  # whoever made it is gone
                job.state = WAITING
            self.all[job.id] = job

    def in_order(self) -> list[Job]:
        """As they will be made; those that are over come by their number."""
        return sorted(self.all.values(), key=lambda job: (job.place, job.id))

    def next(self) -> Job | None:
        """The first that waits."""
        return next((job for job in self.in_order() if job.state == WAITING), None)

    def add(self, text: str, name: str) -> Job:
        """A new entry at the end."""
        number = max([*self.all, read_json(self._folder.own / "last.json").get("id", 0)]) + 1
        write_json(self._folder.own / "last.json", {"id": number})
        job = Job(number, text, name, self._free(name, number), float(number))
        self.save(job)
        self.all[number] = job
        return job

    def was(self, number: int) -> bool:
        """Whether there is or was an entry of this number."""
        return number in self.all or 0 < number <= read_json(self._folder.own / "last.json").get("id", 0)

    def save(self, job: Job) -> None:
        """Write its file."""
        write_json(self._home / f"{job.id:08d}.json", asdict(job))

    def forget(self, job: Job) -> None:
        """Take it off the list; what it made stays."""
        self.all.pop(job.id, None)
        (self._home / f"{job.id:08d}.json").unlink(missing_ok=True)

    def done(self, job: Job) -> list[Job]:
        """It is finished: the gallery has it from now on, and the list of entries for a while. Those that leave the list."""
        job.state = FINISHED
        with suppress(OSError):  # an entry that stays is made again by the next studio, from its last step
            (self._home / f"{job.id:08d}.json").unlink(missing_ok=True)
        old = [each for each in self.in_order() if each.state == FINISHED][:-RECENT]
        for each in old:
            self.all.pop(each.id)
        return old

    def first(self, job: Job) -> None:
        """Make it before all others that wait."""
        job.place = min(each.place for each in self.all.values()) - 1
        self.save(job)

    def move(self, job: Job, before: Job | None) -> None:
        """Make it before another entry, or last."""
        others = [each for each in self.in_order() if each is not job]
        after = others.index(before) if before in others else len(others)
        low = others[after - 1].place if after else others[0].place - 2 if others else 0.0
        high = others[after].place if after < len(others) else low + 2
        job.place = (low + high) / 2
        self.save(job)
        if not low < job.place < high:  # no number is left between the two
            for number, each in enumerate([*others[:after], job, *others[after:]], start=1):
                each.place = float(number)
                if each.state != FINISHED:
                    self.save(each)

    def _free(self, name: str, number: int) -> str:
        stem = re.sub(r"[^\w]+", "-", name.lower())[:60].strip("-_") or "run"
        taken = {job.run for job in self.all.values()}
        while f"{stem}-{number}" in taken or (self._folder.root / f"{stem}-{number}").exists():
            number += 1
        return f"{stem}-{number}"


def _read(found: dict[str, Any]) -> Job | None:
    known = {each.name for each in fields(Job)}
    try:
        job = Job(**{key: value for key, value in found.items() if key in known})
    except TypeError:
        return None
    good = isinstance(job.id, int) and isinstance(job.text, str) and isinstance(job.run, str)
    good = good and isinstance(job.place, int | float) and job.state in STATES
    good = good and isinstance(job.moments, list) and isinstance(job.back, int) and isinstance(job.group, int)
    return job if good and re.fullmatch(r"[\w-]{1,99}", job.run) else None
