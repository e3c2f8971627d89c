"""What the program may set for its whole process; a library may not."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

# Of <malloc.h> (glibc).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
NEVER = -1
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
