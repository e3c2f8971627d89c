"""Estimate the memory that a recipe needs, before it runs.

Two steps are run with fake tensors, which have shapes but no content. Nothing is computed or allocated, but every
storage that a real step would hold is counted from its creation to its release.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pixforge.contracts.constants import forget_constants
from pixforge.engine.build import build
from pixforge.engine.room import held
from pixforge.engine.step import advance
from pixforge.engine.updates import make_update

if TYPE_CHECKING:
    from pixforge.recipe import Recipe

# Measured on CPUs: bytes that libraries load at the first step, and the share of scratch memory that convolutions add.
LIBRARIES, SCRATCH = 40 * 2**20, 0.1


@dataclass(frozen=True)
class Estimate:
    """Memory in bytes: `built` by the program and its models before the first step, and in addition during a `step`."""

    built: int
    step: int
    device: torch.device

    @property
    def total(self) -> int:
        """The peak of a run in bytes: of the whole process on a CPU, of the device's allocations on a GPU."""
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
        """Run the operation and count storages that are new in its result."""
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
    """An identifier of the tensor's storage, which views share."""
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - torch's own tools identify storages by it


def estimate(recipe: Recipe) -> Estimate:
    """Build a recipe's components, including its models, and estimate the memory of a step.

    Raises:
        PixforgeError: the recipe cannot be built, as in a run.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode

    one = recipe.device if isinstance(recipe.device, str) else recipe.device[0]
    session = build(recipe.model_copy(update={"device": one, "compile": False}))
    device = session.context.device
    watch = _Watch()
    built = held(device)
    forget_constants()
    try:
        with FakeTensorMode(allow_non_fake_inputs=True), watch:
            update = make_update(session)
            image = session.generator.forward(0)
            for step in range(
                2
            ):  # the second step also holds what the first one left: moments, buffers, the last picture
                image = advance(session, update, image, step).image
    finally:
        forget_constants()
    step = watch.peak
    beside = LIBRARIES + int(SCRATCH * step) if device.type == "cpu" else 0
    return Estimate(built, step + beside, device)
