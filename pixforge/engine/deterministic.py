"""`deterministic: true`: only operations that always give the same bits."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pixforge.errors import RunError

_LOCK = threading.Lock()
_SIGNS = ("does not have a deterministic implementation", "is not deterministic")


class _Switch:
    """torch's setting, which is one for the whole process: on as long as anybody wants it."""

    def __init__(self) -> None:
        self._users = 0
        self._before = (False, False)

    def on(self) -> None:
        """Switch it on; the first user remembers how it was."""
        with _LOCK:
            if self._users == 0:
                self._before = (
                    torch.are_deterministic_algorithms_enabled(),
                    torch.is_deterministic_algorithms_warn_only_enabled(),
                )
                torch.use_deterministic_algorithms(mode=True)
            self._users += 1

    def off(self) -> None:
        """Put it back as it was when the last user leaves."""
        with _LOCK:
            self._users -= 1
            if self._users == 0:
                torch.use_deterministic_algorithms(self._before[0], warn_only=self._before[1])


_SWITCH = _Switch()


@contextmanager
def only_deterministic(wish: bool, where: str) -> Iterator[None]:
    """Have torch refuse other operations within the body when `wish` is true; its own setting comes back after it.

    torch has one such setting for the whole process. It stays on until the last body that wants it has ended; a run in
    another thread that does not want it shares it meanwhile.

    Raises:
        RunError: the body needs one; says which.
    """
    if not wish:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is exact with a workspace of its own
    _SWITCH.on()
    try:
        yield
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _SIGNS):
            raise
        first = str(error).split(". ", 1)[0]
        raise RunError(
            f"deterministic: true cannot be kept {where}: {first}; device: cpu would work, or deterministic: false"
        ) from error
    finally:
        _SWITCH.off()
