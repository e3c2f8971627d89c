"""A run as an object: events come out, wishes go in."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from pixforge.errors import InputError
from pixforge.runs.control import Control
from pixforge.runs.events import Event, Finished, Started, Step, Warned
from pixforge.runs.folder import RECIPE
from pixforge.runs.progress import Careful, Progress, Silent

if TYPE_CHECKING:
    from pixforge.recipe.overrides import Override
    from pixforge.runs.result import Result

_LOGGER = "pixforge"
_LOCK = threading.Lock()
_TOO_EARLY = "before the first step; nothing was made"


class Run:
    """A run that makes its steps while it is iterated, in the thread that iterates it.

    Iterating gives its events, the last one is `Finished`. The other methods may be called from any thread. Several
    runs may go on at once, each in a thread of its own, or in turns in one. A run that is closed, or forgotten before
    its end, saves what it has made, as after `stop`.

    Errors come out of the iteration: InputError before anything was written, RunError afterwards, when what was made
    has been saved.
    """

    def __init__(self, work: Callable[[Control], Generator[Event, None, None]]) -> None:
        self._control = Control()
        self._events = work(self._control)
        self._queue: deque[Event] = deque()
        self._turn = threading.Lock()
        self.folder: Path | None = None
        """Where it writes; None until `Started`."""
        self.result: Result | None = None
        """What it made; None until `Finished`."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        if not self._turn.acquire(blocking=False):
            raise RuntimeError("another thread is making a step of this run")
        try:
            if not self._queue:
                self._advance(lambda: next(self._events))
            event = self._queue.popleft()
        finally:
            self._turn.release()
        if isinstance(event, Started):
            self.folder = event.folder
        elif isinstance(event, Finished):
            self.result = event.result
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "new" if self.folder is None else "going on" if self.result is None else "finished"
        return f"<Run {state}{f' in {self.folder}' if self.folder is not None else ''}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """What notebooks call for the last line of a cell: they show the run while it goes on, up to its end."""
        from pixforge.runs.notebook import show

        del include, exclude
        return show(self)

    def wait(self, progress: Progress | None = None) -> Result:
        """Make all steps that are left, and return the result; `progress` watches.

        Raises:
            InputError: it cannot be built, or the folder cannot be used; nothing was written.
            RunError: it failed while running; what was made until then stays.
            KeyboardInterrupt: Ctrl-C before the first step, or again and again while the run was saved.
        """
        watcher = Careful(progress or Silent())
        try:
            while self.result is None:
                self._see(watcher)
        except KeyboardInterrupt as error:
            if self.folder is None:
                raise KeyboardInterrupt(_TOO_EARLY) from error
            raise
        finally:
            watcher.finish(self.result)
        return self.result

    def _see(self, watcher: Careful) -> None:
        try:
            event = next(self)
            if isinstance(event, Started):
                watcher.start(event.recipe, event.steps)
            elif isinstance(event, Step) and event.step:
                watcher.update(event.report)
        except KeyboardInterrupt:
            # The second Ctrl-C may come while the progress is shown: the run saves, as it does within a step.
            with self._turn:
                self._advance(self._break_off)

    def stop(self) -> None:
        """End the run after the step in progress; all is saved, and it can be resumed."""
        self._control.stop()

    def pause(self) -> None:
        """Wait after the step in progress, until `proceed` or `stop`: the next event does not come before."""
        self._control.pause()

    def proceed(self) -> None:
        """Go on after a pause."""
        self._control.proceed()

    def look(self) -> None:
        """Give what the perceptors see of the present picture, also in a pause: the event `Looked` comes with it."""
        self._control.look()

    @property
    def paused(self) -> bool:
        """Whether the run waits, or will after the step in progress."""
        return self._control.paused

    def change(self, overrides: Mapping[str, Any] | Iterable[Override]) -> None:
        """Go on with other values after the step in progress, such as `{"losses.0.weight": 2}`.

        The run keeps its pictures and the optimizer's memory, as a branch does. `recipe.yaml` then holds the new values, and
        `run.json` says from which step on they count. Without any values it only writes a checkpoint.

        Raises:
            InputError: the run has not started.
            RecipeError: the recipe with these values does not validate.
        """
        from pixforge.recipe import load_recipe
        from pixforge.recipe.overrides import as_overrides

        wanted = list(as_overrides(overrides))
        if self.folder is None:
            raise InputError(
                "the run has not started; change the recipe instead, load_recipe(..., overrides) does"
            )
        load_recipe(self.folder / RECIPE, wanted, check_files=False, trust="all")
        self._control.change(wanted)

    def close(self) -> None:
        """Save, and make no more steps."""
        with self._turn:
            self._events.close()

    def _break_off(self) -> Event:
        return self._events.throw(KeyboardInterrupt())

    def _advance(self, get: Callable[[], Event]) -> None:
        collector = _Collector()
        try:
            with _collecting(collector):
                event = get()
        finally:
            self._queue.extend(map(Warned, collector.texts))
        self._queue.append(event)


@contextmanager
def _collecting(collector: _Collector) -> Iterator[None]:
    """Let a collector see what is logged within the body.

    The list of handlers is replaced and not changed: another thread that is just going through it would pass one over.
    """
    logger = logging.getLogger(_LOGGER)
    with _LOCK:
        logger.handlers = [*logger.handlers, collector]
    try:
        yield
    finally:
        with _LOCK:
            logger.handlers = [each for each in logger.handlers if each is not collector]


class _Collector(logging.Handler):
    """Keeps the warnings that the present thread logs; those of other threads are other runs'."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text, and show it where nobody else does: a logger that has a handler is not shown by itself."""
        if record.thread != self._thread:
            return
        self.texts.append(record.getMessage())
        others = [*logging.getLogger(_LOGGER).handlers, *logging.getLogger().handlers]
        if logging.lastResort is not None and all(isinstance(each, _Collector) for each in others):
            logging.lastResort.handle(record)
