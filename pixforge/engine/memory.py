"""How much memory a recipe needs, found out before it runs.

One step is walked through with fake tensors, which have shapes but no content: nothing is computed and nothing
allocated, while every storage that a real step would hold is counted from its birth to its end.
"""

from __future__ import annotations

import sys
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pixforge.contracts.constants import forget_constants
from pixforge.errors import InputError

if TYPE_CHECKING:
    from pixforge.contracts import Scene
    from pixforge.recipe import Recipe

# On a CPU: what libraries load at the first step, and scratch memory of convolutions beside the tensors (measured).
LIBRARIES, SCRATCH = 40 * 2**20, 0.1
STATUS = Path("/proc/self/status")
COPIES = 3  # of every picture in any step, as float32: itself, its gradient, and what it was computed from
MOMENTS = 2  # of the optimizer, each as large as the latent: Adam has two, others fewer


@dataclass(frozen=True)
class Estimate:
    """In bytes: what the program and the models hold once they are built, and what a step holds beside that."""

    built: int
    step: int
    device: torch.device

    @property
    def total(self) -> int:
        """The peak of a run, of the process on a CPU and of the device's allocations on a GPU."""
        return self.built + self.step


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's
    """Counts the bytes of storages that operations create."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Look at what comes out, and at nothing that went in."""
        before = {id_of(each) for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)}
        result = func(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, torch.Tensor) and id_of(each) not in before:
                self._born(each)
        return result

    def _born(self, tensor: torch.Tensor) -> None:
        storage, key = tensor.untyped_storage(), id_of(tensor)
        if key in self._known:
            return
        self._known.add(key)
        size = storage.nbytes()
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def id_of(tensor: torch.Tensor) -> int:
    """Of its storage, which views share."""
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - what torch's own tools tell storages apart by


def estimate(recipe: Recipe) -> Estimate:
    """Build what a recipe names (its models are loaded), and walk through a step of it.

    Raises:
        PixforgeError: as for a run.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode

    from pixforge.engine.optimize import backward
    from pixforge.engine.session import build

    one = recipe.device if isinstance(recipe.device, str) else recipe.device[0]
    session = build(recipe.model_copy(update={"device": one, "compile": False}))
    device = session.scene.device
    watch = _Watch()
    built = held(device)
    latents = sum(each.nbytes for each in session.generator.latents().values())
    forget_constants()
    try:
        with FakeTensorMode(allow_non_fake_inputs=True), watch:
            for step in range(2):  # the second meets what the first left: buffers, the picture before
                image = session.generator.forward(step)
                backward(session, image, step)
    finally:
        forget_constants()
    step = watch.peak + MOMENTS * latents
    beside = LIBRARIES + int(SCRATCH * step) if device.type == "cpu" else 0
    return Estimate(built, step + beside, device)


def check_room(scene: Scene) -> None:
    """Refuse a size that cannot fit, at no cost; one that passes may still be too much, which `estimate` tells.

    Systems that promise more memory than they have would kill the process later, without a word.

    Raises:
        InputError: the pictures alone are larger than the memory that is free.
    """
    width, height = scene.size
    needed = COPIES * scene.batch * 3 * 4 * width * height
    available = free(scene.device)
    if available is not None and needed > available:
        raise InputError(
            f"size, canvases: {scene.batch} x {width} x {height} pixels need at least {needed / 2**30:.1f} GiB of memory on "
            f"{scene.device}, and {available / 2**30:.1f} GiB are free; make them smaller"
        )


def held(device: torch.device) -> int:
    """Bytes that are in use now: of the process, or on a GPU of its tensors."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return _status("VmRSS") or peak(device)


def peak(device: torch.device) -> int:
    """Bytes that were in use at most until now, likewise."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    import resource  # Windows has none

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return _status("VmHWM") or used * (1 if sys.platform == "darwin" else 1024)


def free(device: torch.device) -> int | None:
    """Bytes that are there for the taking; None where nobody says."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return _status("MemAvailable", Path("/proc/meminfo"))


def _status(name: str, file: Path = STATUS) -> int | None:
    """A line of Linux's, which unlike the resource module tells of this program alone and not of its parent."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), None)
