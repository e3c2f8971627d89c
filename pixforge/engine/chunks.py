"""How many cutouts a perceptor sees at once, and what happens when memory does not suffice for them."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TypeVar

import torch

from pixforge.errors import RunError

log = logging.getLogger(__name__)
R = TypeVar("R")

AUTO = "auto"
# What allocators say that raise no error of their own: torch's on the CPU (Linux, Windows), C++, cuBLAS, MPS.
_WORDS = (
    "DefaultCPUAllocator",
    "not enough memory",
    "bad_alloc",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "backend out of memory",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that there was not enough memory, on whichever device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


def out_of_memory(where: str) -> RunError:
    """One line that says where, and what would help."""
    return RunError(
        f"out of memory {where}; a smaller size, fewer canvases or cutouts, precision: bf16 or a smaller model "
        "would help (`pixforge check --memory` estimates a recipe)"
    )


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn the many errors of allocators into `out_of_memory(where)`."""
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise out_of_memory(where) from error
        raise


def even_parts(start: int, stop: int, largest: int) -> Iterator[tuple[int, int]]:
    """The range in as few parts of at most `largest` as possible, their lengths differing by one at most."""
    length = stop - start
    count = max(1, -(-length // largest))
    edges = [start + length * index // count for index in range(count + 1)]
    yield from pairwise(edges)


class Chunk:
    """The chunk of one perceptor: everything at once until memory says otherwise, or what the recipe says.

    Args:
        wish: `auto`, or a number of cutouts.
        name: the perceptor's, for messages.
    """

    def __init__(self, wish: str | int, name: str) -> None:
        self._wish = None if isinstance(wish, str) else wish
        self._name = name
        self._device: torch.device | None = None
        self.size: int | None = self._wish
        """The number that works; None until the first pass, or while all at once do."""

    def adapt(self, count: int, attempt: Callable[[int], R]) -> R:
        """What `attempt(size)` returns, with a size that memory suffices for; at most `count`.

        `attempt` must leave nothing behind when it fails.

        Raises:
            RunError: memory does not suffice for a single cutout.
        """
        size = before = min(self.size or count, count)
        while True:
            try:
                result = attempt(size)
                break
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    where = f"in perceptor '{self._name}', even with one cutout at a time"
                    raise out_of_memory(where) from error
            # Here the exception, and with it what its frames held, is gone.
            release()
            size = (size + 1) // 2
        if size < before:
            self.size = size
            log.warning(
                "%s: out of memory with %d cutouts at once; goes on with %d (`chunk: %d` starts so)",
                self._name, before, size, size,
            )  # fmt: skip
        return result


def release() -> None:
    """Give cached memory back to the device, so that a smaller attempt meets no fragments of the larger one."""
    gc.collect()  # an error that came from another thread is in a cycle with the frames that hold the activations
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
