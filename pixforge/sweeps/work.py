"""One run of a sweep, wherever it is made."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.contracts import Outcome
from pixforge.contracts.executor import Status
from pixforge.errors import PixforgeError
from pixforge.runs.folder import RECIPE
from pixforge.runs.manifest import NAME as MANIFEST
from pixforge.runs.progress import Silent

if TYPE_CHECKING:
    from pixforge.contracts import StepReport
    from pixforge.recipe import Recipe
    from pixforge.runs.run import Run


class Reader:
    """Reads the recipes of a sweep; the plugins of those that name the same are loaded once in a process."""

    def __init__(self, disabled: tuple[str, ...] = ()) -> None:
        self.disabled = disabled
        self._known: dict[tuple[str, ...], Recipe] = {}

    def read(self, plain: dict[str, Any]) -> Recipe:
        """A recipe that was resolved before.

        Raises:
            InputError: it does not validate here; a file that it names is missing or another, for one.
        """
        from pixforge.recipe.load import load_recipe, read_resolved

        key = tuple(map(str, plain.get("plugins", ())))
        if key in self._known:
            return read_resolved(plain, self._known[key])
        recipe = load_recipe(plain, disabled=self.disabled, trust="all")
        return self._known.setdefault(key, recipe)

    def __getstate__(self) -> dict[str, Any]:
        """Pickled without what it knows, which other processes cannot take over."""
        return {"disabled": self.disabled, "_known": {}}


@dataclass(frozen=True)
class RunWork:
    """Makes the run of a resolved recipe in a folder, or goes on with it from the checkpoint there.

    With `until` it stops after that many steps. `home` is the sweep's folder, two above the run's: where that is called in
    a folder elsewhere, files of the recipe below `home` are looked for there.
    """

    name: str
    recipe: dict[str, Any]
    reader: Reader
    home: str
    until: int | None = None

    def __call__(self, folder: Path) -> Outcome:
        """Do it, and say how it ended."""
        started = time.perf_counter()
        try:
            run = self._run(folder)
            result = run.wait(Silent() if self.until is None else _Until(run, self.until))
        except PixforgeError as error:
            text = " ".join(str(error).split("\n"))
            return Outcome(self.name, "failed", text, time.perf_counter() - started)
        except KeyboardInterrupt:
            return Outcome(self.name, "interrupted", None, time.perf_counter() - started)
        done = result.manifest.get("steps_done", 0)
        stopped: Status = (
            "interrupted" if self.until is None or done < self.until or result.signal else "paused"
        )
        seconds = time.perf_counter() - started
        return Outcome(self.name, stopped if result.interrupted else "finished", None, seconds)

    def _run(self, folder: Path) -> Run:
        from pixforge.runs.render import start
        from pixforge.runs.resume import reopen

        if (folder / RECIPE).is_file():
            return reopen(folder, disabled=self.reader.disabled)
        with suppress(FileNotFoundError):
            (folder / MANIFEST).unlink()  # of a run that could not even begin
        there = str(folder.absolute().parents[1])
        plain = self.recipe if there == self.home else _moved(self.recipe, f"{self.home}/", f"{there}/")
        recipe = self.reader.read(plain)
        return start(recipe.with_origin(replace(recipe.origin, name=self.name)), folder)


def _moved(value: Any, before: str, after: str) -> Any:
    """Plain data with paths below another folder; keys too, since hashes are kept by path."""
    if isinstance(value, dict):
        return {_moved(key, before, after): _moved(each, before, after) for key, each in value.items()}
    if isinstance(value, list):
        return [_moved(each, before, after) for each in value]
    return value.replace(before, after, 1) if isinstance(value, str) and before in value else value


class _Until(Silent):
    """Stops a run after a step."""

    def __init__(self, run: Run, until: int) -> None:
        self._run, self._until = run, until

    def update(self, report: StepReport) -> None:
        """Ask for the end when it is time."""
        if report.step >= self._until:
            self._run.stop()
