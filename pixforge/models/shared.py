"""Networks that several runs of a process use at once: loaded once, never changed after that, freed when nobody needs them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from pixforge.models.files import version_of

if TYPE_CHECKING:
    from torch import nn

T = TypeVar("T")
KEPT_BYTES = 1 << 30
"""Of networks that no run uses at the moment, kept for the next one."""


class SharedModels:
    """Frozen networks by what they were made of. All methods may be called from any thread.

    A network that a run uses stays. Of the others, those that were used last are kept, up to `kept` bytes.
    """

    def __init__(self, kept: int = KEPT_BYTES) -> None:
        self._kept = kept
        self._all: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
        self._recent: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.RLock()
        self.loads = 0
        """How many networks were loaded so far."""

    def get(
        self,
        files: Iterable[Path],
        facts: Hashable,
        make: Callable[[], T],
        parts: Callable[[T], list[nn.Module]],
    ) -> T:
        """The network of these files, made by `make` unless it is there.

        Args:
            files: all that it is read from; a file that has changed since makes another network.
            facts: whatever else it depends on: device, precision, configuration.
            make: loads it, and does everything to it that will ever be done.
            parts: its modules, of which the size is known.
        """
        versions = [version_of(file) for file in files]
        if None in versions:  # written a moment ago: its times do not tell whether it is still the same
            self.loads += 1
            return make()
        key = (*versions, facts)
        with self._lock:  # while one thread loads, the others wait instead of loading it too
            found: T | None = self._all.get(key)
            if found is None:
                found = make()
                self.loads += 1
                self._all[key] = found
            self._recent[key] = found, sum(map(_bytes, parts(found)))
            self._recent.move_to_end(key)
            self._shrink()
            return found

    def clear(self) -> None:
        """Keep nothing that no run uses."""
        with self._lock:
            self._recent.clear()

    def _shrink(self) -> None:
        while sum(size for _, size in self._recent.values()) > self._kept and self._recent:
            self._recent.popitem(last=False)


def _bytes(module: nn.Module) -> int:
    return sum(each.numel() * each.element_size() for each in (*module.parameters(), *module.buffers()))


SHARED = SharedModels()
"""Those of this process."""
