"""What the program may set for its whole process; a library may not."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Of <malloc.h> (glibc).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
NEVER = -1
FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"
SPIN = "GOMP_SPINCOUNT"
"""How often a waiting thread of OpenMP looks whether it may go on before it sleeps."""
LARGEST = 32 * 2**20
"""Bytes: glibc takes no larger threshold. What lies above is mapped for itself and given back at once."""


def open_closed_streams() -> None:
    """Give a process that was started with closed streams (`>&-`) ones that lead nowhere.

    Otherwise Python has None in their place, and the next file that is opened would become standard output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # noqa: PERF203 - three times
            os.open(
                os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY
            )  # the system gives the lowest free number
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def let_others_run() -> None:
    """Have the threads of OpenMP (GNU's library, which torch brings) give up a core that they only wait on.

    At each barrier they spin for as long as there are cores enough. Where another busy program has one of these, all wait
    for the thread that has none, and a step takes ten times as long. They still spin for a moment, since a step has
    thousands of barriers and sleeping takes longer; on a machine that is busy already, for a shorter one. Has to be
    called before torch is imported. Does nothing where the user has said how to wait.
    """
    if SPIN in os.environ or "OMP_WAIT_POLICY" in os.environ:
        return
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    os.environ[SPIN] = "1000" if load > (os.cpu_count() or 1) / 2 else "10000"


def let_apple_fall_back() -> None:
    """Have torch compute on the processor what it cannot on Apple's GPUs, with a warning that names the operation.

    That is, with torch 2.13, the gradient of halving a picture with an odd side. Has to be called before torch is imported.
    """
    if sys.platform == "darwin":
        os.environ.setdefault(FALLBACK, "1")


def keep_freed_memory() -> None:
    """Have glibc hand freed tensors to the next step, instead of giving them back to the system in between.

    Otherwise it cuts off the end of its heap whenever much of it is free, and every step touches fresh pages, which
    the system has to find and clear first. Where the allocator is another one this does nothing.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):  # musl has no mallopt
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_TRIM_THRESHOLD, NEVER)
        # To set the one ends glibc's own adapting of the other, which would begin with 128 KiB.
        mallopt(M_MMAP_THRESHOLD, LARGEST)


@contextmanager
def imports_ahead() -> Iterator[None]:
    """Keep the collector of dead cycles from looking through what imports make, which all stays.

    It would look at the same classes and functions again and again: a tenth of the time to the first step. What is
    there at the end is left out of later passes, too.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def import_torch() -> None:
    """Import torch, which is most of what a run imports."""
    with imports_ahead():
        import torch  # noqa: F401 - for those that import it next
