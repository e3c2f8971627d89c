"""What a run is asked to do from outside: by signals, and by other threads."""

from __future__ import annotations

import signal
import threading
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

if TYPE_CHECKING:
    from pixforge.recipe.overrides import Override

_PAUSE_SECONDS = 0.1


class Control:
    """The wishes that the loop looks at between steps; all methods may be called from any thread.

    While open on the main thread, the first SIGINT or SIGTERM asks for the end, and sets `number`: the step is
    finished and all is saved. A second one breaks off a long step with KeyboardInterrupt. Those who press Ctrl-C twice
    mean the run and not the saving, so this takes two more to break off. On other threads Python gives no signals.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._asked = False
        self._going = threading.Event()
        self._going.set()
        self._changes: SimpleQueue[list[Override]] = SimpleQueue()
        self._look = threading.Event()
        self._patience = 1
        self._before: dict[int, Any] = {}
        self._open = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._open = True
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        for number, handler in self._before.items():
            # Another run in this thread may have set its own since; it passes signals on to this one.
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def stop(self) -> None:
        """Ask for the end after the step in progress."""
        self._asked = True
        self._going.set()

    def pause(self) -> None:
        """Ask for a pause after the step in progress."""
        if not self._asked:
            self._going.clear()

    def proceed(self) -> None:
        """End a pause."""
        self._going.set()

    def change(self, overrides: list[Override]) -> None:
        """Ask for other values after the step in progress."""
        self._changes.put(overrides)

    def look(self) -> None:
        """Ask for what the perceptors see."""
        self._look.set()

    def asks_to_look(self) -> bool:
        """Whether somebody has asked for it since the last time."""
        asked = self._look.is_set()
        self._look.clear()
        return asked

    @property
    def paused(self) -> bool:
        """Whether a pause has been asked for."""
        return not self._going.is_set()

    @property
    def requested(self) -> bool:
        """Whether the end has been asked for."""
        return self._asked or self.number is not None

    def next_change(self) -> list[Override] | None:
        """The oldest change that has not been made, once."""
        try:
            return self._changes.get_nowait()
        except Empty:
            return None

    @property
    def has_changes(self) -> bool:
        """Whether a change has been asked for and not been made."""
        return not self._changes.empty()

    def wait(self) -> None:
        """Return when no pause is asked for, or the end is, or somebody wants to look."""
        while not self._going.wait(_PAUSE_SECONDS) and not self.requested and not self._look.is_set():
            pass  # looks again, since a signal sets no event

    def saving(self) -> None:
        """Say that the loop is over."""
        self._patience = 2

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._open:
            before = self._before.get(number)
            if callable(before):
                before(number, frame)
            return
        self.number = number
        if self._patience == 0:
            raise KeyboardInterrupt
        self._patience -= 1
