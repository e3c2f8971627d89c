"""Where runs are made: one worker process for each device."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pixforge_studio.folder import Folder

LONGEST_LINE = 2**24
WORKER_SETTINGS = {
    "GOMP_SPINCOUNT": "10000",  # threads that wait give up their core: the page is made on this machine too
    "MALLOC_TRIM_THRESHOLD_": str(2**62),  # freed tensors stay for the next step (glibc)
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
}
"""Of the process; what the user has set wins."""
VISIBLE = "CUDA_VISIBLE_DEVICES"


def devices() -> list[str]:
    """The GPUs as `CUDA_VISIBLE_DEVICES` names them, found without torch, whose import takes seconds; [""] without any."""
    chosen = os.environ.get(VISIBLE)
    if chosen is not None:
        return [each.strip() for each in chosen.split(",") if each.strip()] or [""]
    return [str(number) for number, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*"))] or [""]


class Seat:
    """A device, and the worker process that makes runs there, one after the other."""

    def __init__(self, folder: Folder, number: int, device: str, *, cold: bool) -> None:
        self._folder, self._number, self._device, self._cold = folder, number, device, cold
        self.process: asyncio.subprocess.Process | None = None
        self.job = 0
        """The entry that is being made, 0 for none."""

    async def ready(self) -> None:
        """See that the process is there."""
        if self.process is None or self.process.returncode is not None:
            self.process = await self.spawn()

    async def spawn(self) -> asyncio.subprocess.Process:
        """A new process. It waits until the one before it, of a studio that was killed, has saved its run."""
        name = f"worker-{self._number}" if self._number else "worker"
        own, options = self._folder.own, ["--cold"] if self._cold else []
        command = [sys.executable, "-X", "utf8", "-m", "pixforge_studio.worker", str(own / f"{name}.lock")]
        device = {VISIBLE: self._device} if self._device else {}
        with (own / f"{name}.log").open("wb") as log:
            return await asyncio.create_subprocess_exec(
                *command,
                *options,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**WORKER_SETTINGS, **os.environ, **device},
                limit=LONGEST_LINE,
                start_new_session=True,  # Ctrl-C in the terminal is for the studio
            )

    async def begin(self, order: dict[str, Any]) -> None:
        """Tell what to make."""
        self.job = order["id"]
        with suppress(OSError):  # it died before; the end of its events says so
            self.tell(order)
            if self.process is not None and self.process.stdin is not None:
                await self.process.stdin.drain()

    def tell(self, order: dict[str, Any]) -> None:
        """Tell something; one that has died hears nothing, and whoever reads its events will see."""
        if self.process is not None and self.process.stdin is not None:
            with suppress(OSError, RuntimeError):
                self.process.stdin.write(json.dumps(order).encode() + b"\n")

    async def event(self) -> dict[str, Any] | None:
        """What it tells next; None when it has ended."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        # One that is killed while it tells something leaves half a line behind.
        found: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return found

    async def ended(self) -> int:
        """Its status, when it has ended."""
        assert self.process is not None
        return await self.process.wait()

    def close(self) -> None:
        """A worker that can be told nothing more saves its run, and ends."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
