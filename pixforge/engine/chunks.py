"""Limit how many cutouts a perceptor sees at once, and reduce the number when memory runs out."""

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
# Messages of allocators that raise only a RuntimeError: torch's on the CPU (Linux, Windows), C++, cuBLAS, MPS.
_WORDS = (
    "DefaultCPUAllocator",
    "not enough memory",
    "bad_alloc",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "backend out of memory",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out, on any device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


def out_of_memory(where: str) -> RunError:
    """A one-line error that says where memory ran out and what would help."""
    return RunError(
        f"out of memory {where}; a smaller size, fewer canvases or cutouts, precision: bf16 or a smaller model "
        "would help (`pixforge check --memory` estimates a recipe)"
    )


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn every allocator's error into `out_of_memory(where)`."""
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise out_of_memory(where) from error
        raise


def even_parts(start: int, stop: int, largest: int) -> Iterator[tuple[int, int]]:
    """Split a range into as few parts of at most `largest` as possible; their lengths differ by at most one."""
    length = stop - start
    count = max(1, -(-length // largest))
    edges = [start + length * index // count for index in range(count + 1)]
    yield from pairwise(edges)


class Chunk:
    """The chunk size of one perceptor: the recipe's number, or all cutouts at once until memory runs out.

    Args:
        wish: `auto`, or a number of cutouts.
        name: the name of the perceptor, for messages.
    """

    def __init__(self, wish: str | int, name: str) -> None:
        self._wish = None if isinstance(wish, str) else wish
        self._name = name
        self._device: torch.device | None = None
        self.size: int | None = self._wish
        """The chunk size that fits into memory; None as long as all cutouts at once do."""

    def adapt(self, count: int, attempt: Callable[[int], R]) -> R:
        """Call `attempt(size)` and return its result; halve `size` (at most `count`) each time memory runs out.

        `attempt` must have no effect when it fails.

        Raises:
            RunError: memory is too small even for a single cutout.
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
            # Only here, after the except block, are the exception and the tensors in its frames freed.
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
    """Return cached memory to the device, so that the next attempt does not meet fragments of the last one."""
    gc.collect()  # an error from another thread forms a reference cycle with the frames that hold the activations
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
