"""Ctrl-C and termination, turned into a wish that the loop looks at between steps."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from typing_extensions import Self


class Stop:
    """While open, the first SIGINT or SIGTERM sets `requested` and `number`, so the step is finished and all is saved.

    A second one breaks off a long step with KeyboardInterrupt. Those who press it twice mean the run and not the
    saving, so this takes two more to break off. Off the main thread Python gives no signals: there it does nothing.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._patience = 1
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def saving(self) -> None:
        """Say that the loop is over."""
        self._patience = 2

    @property
    def requested(self) -> bool:
        """Whether a signal has come."""
        return self.number is not None

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        if self._patience == 0:
            raise KeyboardInterrupt
        self._patience -= 1
