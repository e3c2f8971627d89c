"""Measure used and free memory, and check that the pictures of a run fit."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pixforge.errors import InputError

if TYPE_CHECKING:
    from pixforge.contracts import RunContext

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
COPIES = 3  # float32 copies of a picture that every step holds: the picture, its gradient, and its input


def check_room(context: RunContext) -> None:
    """Refuse a size that cannot fit into memory. A size that passes may still be too large; `estimate` is exact.

    Without this check, a system that overcommits memory would kill the process later without a message.

    Raises:
        InputError: the pictures alone need more than the free memory.
    """
    width, height = context.size
    needed = COPIES * context.batch * 3 * 4 * width * height
    available = free(context.device)
    if available is not None and needed > available:
        raise InputError(
            f"size, canvases: {context.batch} x {width} x {height} pixels need at least {needed / 2**30:.1f} GiB of memory on "
            f"{context.device}, and {available / 2**30:.1f} GiB are free; make them smaller"
        )


def held(device: torch.device) -> int:
    """Memory in use now, in bytes: of the whole process, or on a GPU of its tensors."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return _status("VmRSS") or peak(device)


def peak(device: torch.device) -> int:
    """The peak of the memory in use so far, in bytes: of the whole process, or on a GPU of its tensors."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    import resource  # not available on Windows

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return _status("VmHWM") or used * (1 if sys.platform == "darwin" else 1024)


def count_anew(device: torch.device) -> None:
    """Let `peak` begin with what is in use now; where the system cannot, it goes on as it was."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with contextlib.suppress(OSError):
        RESET.write_text("5")  # Linux: forget VmHWM (proc(5), clear_refs)


def free(device: torch.device) -> int | None:
    """Free memory in bytes, or None if unknown."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return _status("MemAvailable", Path("/proc/meminfo"))


def _status(name: str, file: Path = STATUS) -> int | None:
    """A value in bytes from a Linux status file; unlike the resource module, it does not include the parent process."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), None)
