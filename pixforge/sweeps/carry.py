"""Make the runs of a plan, whatever is left of them, and keep what they give."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pixforge.contracts import Executor, Job, Outcome
from pixforge.contracts.files import whole_file
from pixforge.errors import InputError, RecipeError, RunError, plain_name
from pixforge.ordinary_files import open_ordinary
from pixforge.plugins.registry import Registry
from pixforge.recipe.words import shown, suggest
from pixforge.reports.facts import RunFacts, read_facts
from pixforge.reports.page import NAME as PAGE
from pixforge.reports.thumbs import save_thumb
from pixforge.runs.folder import RECIPE, locked, write_text
from pixforge.runs.manifest import NAME as MANIFEST
from pixforge.runs.metrics import NAME as METRICS
from pixforge.sweeps.kept import kept_of
from pixforge.sweeps.plan import NAME, Plan, Planned
from pixforge.sweeps.results import RUNS, THUMBS, run_folder_of, thumb_of, write_results
from pixforge.sweeps.stages import Stage, stages_of
from pixforge.sweeps.work import Reader, RunWork

log = logging.getLogger(__name__)

_STAYS = {RECIPE, MANIFEST, METRICS}
FILES = "files"
"""Folder of a sweep with copies of what its recipes name, for other machines."""
_FULL = 2**20
"""Bytes: with less free space no run can be written."""
_PAGE_SECONDS = 60.0
_PAGE_SHARE = 0.02


@dataclass
class Summary:
    """What a sweep came to. `facts` are in the order of the plan."""

    folder: Path
    facts: list[RunFacts] = field(default_factory=list)
    interrupted: bool = False

    @property
    def failed(self) -> list[RunFacts]:
        """The runs that failed."""
        return [each for each in self.facts if each.status == "failed"]

    @property
    def best(self) -> RunFacts | None:
        """The run with the highest held-out score."""
        scored = [each for each in self.facts if each.score is not None and each.status == "finished"]
        return max(scored, key=lambda each: each.score or 0.0, default=None)


def write_plan(folder: Path, plan: Plan) -> None:
    """Write `sweep.json`, which makes a folder one of a sweep.

    Raises:
        OSError: it cannot be written.
    """
    write_text(folder / NAME, plan.model_dump_json(indent=1) + "\n")


def make_executor(word: Any, label: str, registry: Registry) -> Executor[Any]:
    """The executor of a word such as `processes`, or of a mapping such as `{type: processes, workers: 4}`.

    Raises:
        RecipeError: there is none of this name, or its settings do not validate.
    """
    fields = {"type": word} if isinstance(word, str) else dict(word) if isinstance(word, dict) else {}
    tag = fields.get("type")
    entry = registry.get("executor", tag) if isinstance(tag, str) else None
    if entry is None:
        raise RecipeError(
            f"{label}: there is no executor {shown(tag)}{suggest(str(tag), registry.tags('executor'))}"
        )
    try:
        config = entry.config_type.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or entry.tag
        known = ", ".join(name for name in entry.config_type.model_fields if name != "type") or "none"
        reason = "there is no such setting" if first["type"] == "extra_forbidden" else first["msg"].lower()
        raise RecipeError(f"{label}: executor {entry.tag}: {place}: {reason} (settings: {known})") from None
    made: Any = entry.component
    found: Executor[Any] = made(config)
    return found


def carry_out(folder: Path, plan: Plan, executor: Executor[Any], *, quiet: bool = False) -> Summary:
    """Make all runs that are not finished yet, then write the results; also after Ctrl-C.

    Raises:
        InputError: the executor has nothing to run on, or somebody else works on this sweep.
        RunError: the disk is full.
    """
    with locked(folder):
        for name in (RUNS, THUMBS):
            (folder / name).mkdir(exist_ok=True)
        carrier = _Carrier(folder, plan, quiet)
        summary = Summary(folder)
        try:
            summary.interrupted = carrier.carry(executor)
            carrier.clear()
        except KeyboardInterrupt:
            summary.interrupted = True
        finally:
            try:
                summary.facts = write_results(folder, plan)
            except OSError as error:
                raise RunError(
                    f"{folder}: the results cannot be written ({error.strerror or error}); "
                    f"`pixforge sweep resume {folder}` writes them again"
                ) from None
        return summary


class _Carrier:
    """Watches the outcomes, and does what each asks for."""

    def __init__(self, folder: Path, plan: Plan, quiet: bool) -> None:
        self._folder, self._plan, self._quiet = folder, plan, quiet
        self._reader = Reader(plan.disabled)
        self._remote = False
        self._scores: dict[str, float] = {}
        self._began = self._written = time.monotonic()
        self._count = self._todo = 0

    def carry(self, executor: Executor[Any]) -> bool:
        """Make what is left, stage by stage; returns whether the user interrupted it."""
        self._remote = executor.remote
        return any(
            self._make(executor, stage) for stage in stages_of(self._folder, self._plan, executor.at_once)
        )

    def _make(self, executor: Executor[Any], stage: Stage) -> bool:
        until = stage.until or {}
        jobs = [self._job(run, until) for run in stage.runs if not self._is_done(run, until.get(run.name))]
        had = len(stage.runs) - len(jobs)
        self._todo = self._plan.budget or self._todo + len(jobs)
        if len(stage.runs) > 1:
            steps = f" to step {min(until.values())}" if until else ""
            self._say(f"{len(jobs)} runs{steps}" + (f", {had} are finished" if had else ""))
        outcomes = executor.run(jobs)
        try:
            for outcome in outcomes:
                if outcome.status == "interrupted":
                    return True
                self._take(outcome)
        finally:
            close = getattr(outcomes, "close", None)
            if close is not None:
                close()
        return False

    def _job(self, run: Planned, until: Mapping[str, int]) -> Job:
        home = self._folder.absolute()
        recipe, files = gathered(run.recipe, home) if self._remote else (run.recipe, ())
        work = RunWork(run.name, recipe, self._reader, str(home), until.get(run.name))
        return Job(run.name, run_folder_of(home, run.name), work, files)

    def _is_done(self, run: Planned, until: int | None) -> bool:
        """Whether a run of before is as far as it should be; what was left to do with it is done."""
        facts = read_facts(run_folder_of(self._folder, run.name), run.name, curves=False)
        far = until is not None and facts.status == "interrupted" and (facts.steps or 0) >= until
        if facts.status != "finished" and not far:
            return False
        if not thumb_of(self._folder, run.name).exists():
            self._picture(facts)
        self._weed(facts)
        return True

    def _take(self, outcome: Outcome) -> None:
        self._count += 1
        facts = read_facts(run_folder_of(self._folder, outcome.name), outcome.name, curves=False)
        if outcome.status == "failed":
            self._check_disk(outcome)
            if facts.status != "failed":
                self._record_failure(outcome)
        else:
            self._picture(facts)
            self._weed(facts)
        self._tell(outcome, facts)
        self._refresh()

    def _record_failure(self, outcome: Outcome) -> None:
        """A run that could not even begin, or whose process died, says so in its folder all the same."""
        folder = run_folder_of(self._folder, outcome.name)
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
            write_text(
                folder / MANIFEST, json.dumps({"status": "failed", "error": outcome.error}, indent=2) + "\n"
            )

    def _picture(self, facts: RunFacts) -> None:
        try:
            save_thumb(facts.pictures, thumb_of(self._folder, facts.name))
        except OSError as error:
            log.warning("%s: has no small picture: %s", facts.name, error)

    def _weed(self, facts: RunFacts) -> None:
        """Keep all files of the best runs alone."""
        if self._plan.keep is None or facts.status != "finished":
            return
        self._scores[facts.name] = facts.score if facts.score is not None else float("-inf")
        if len(self._scores) > self._plan.keep:
            worst = min(self._scores, key=lambda name: (self._scores[name], name))
            del self._scores[worst]
            strip(run_folder_of(self._folder, worst))

    def clear(self) -> None:
        """At the end, take away the files of runs that were dropped on the way, if only the best keep theirs."""
        kept = kept_of(self._folder)
        if self._plan.keep is not None and kept:
            for run in self._plan.runs:
                if run.name not in kept[-1]:
                    strip(run_folder_of(self._folder, run.name))

    def _check_disk(self, outcome: Outcome) -> None:
        if shutil.disk_usage(self._folder).free < _FULL:
            raise RunError(
                f"the disk is full ({outcome.error}); make room, then `pixforge sweep resume {plain_name(self._folder)}`"
            )

    def _tell(self, outcome: Outcome, facts: RunFacts) -> None:
        score = "" if facts.score is None else f", held-out score {facts.score:.3f}"
        passed = time.monotonic() - self._began
        left = round(passed / self._count * max(0, self._todo - self._count))
        text = f"{outcome.status}{score}" if outcome.error is None else f"{outcome.status}: {outcome.error}"
        self._say(f"{self._count} of {self._todo}: {outcome.name} {text}; {left // 60}:{left % 60:02d} left")

    def _say(self, text: str) -> None:
        if not self._quiet:
            with suppress(OSError, ValueError):
                print(plain_name(text), file=sys.stderr, flush=True)

    def _refresh(self) -> None:
        """Write the page now and then, so that one can look at what is there."""
        now = time.monotonic()
        if now - self._written < _PAGE_SECONDS:
            return
        try:
            write_results(self._folder, self._plan)
        except OSError as error:
            log.warning("%s cannot be written: %s", PAGE, error)
        spent = time.monotonic() - now
        self._written = time.monotonic() + max(0.0, spent / _PAGE_SHARE - _PAGE_SECONDS)


def gathered(recipe: dict[str, Any], home: Path) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """The recipe with copies, in the sweep's folder `files`, of the files that it names; and these.

    Raises:
        InputError: one of them cannot be read, or the disk is full.
    """
    found: dict[str, str] = {}
    for name, digest in recipe.get("files", {}).items():
        target = home / FILES / f"{digest[:16]}-{Path(name).name}"
        found[name] = str(target)
        try:
            if not target.exists():
                target.parent.mkdir(exist_ok=True)
                with open_ordinary(name) as source, whole_file(target) as copy:
                    shutil.copyfileobj(source, copy)
        except OSError as error:
            raise InputError(f"{plain_name(name)}: cannot be copied ({error.strerror or error})") from None
    return _renamed(recipe, found), tuple(map(Path, found.values()))


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if not isinstance(value, str):
        return value
    prefix, colon, rest = value.rpartition(":/")  # some fields have a word before the path
    if colon and f"/{rest}" in names:
        return f"{prefix}:{names[f'/{rest}']}"
    return names.get(value, value)


def strip(folder: Path) -> None:
    """Take away all files of a run but its recipe, its record and its metrics: it can be made again."""
    for path in folder.iterdir():
        if path.name not in _STAYS and not path.is_dir():
            with suppress(OSError):
                path.unlink()


def check_folder_is_sweep(folder: Path, plan: Plan) -> None:
    """See that the runs' folders are where the plan says.

    Raises:
        InputError: one of them is a link, through which a run would write.
    """
    for name in (RUNS, THUMBS, *(f"{RUNS}/{run.name}" for run in plan.runs)):
        if (folder / name).is_symlink():
            raise InputError(
                f"{plain_name(folder / name)}: is a link, and the sweep would write through it; take it away"
            )


def left(facts: Sequence[RunFacts]) -> int:
    """How many runs are not finished."""
    return sum(each.status not in {"finished", "dropped"} for each in facts)
