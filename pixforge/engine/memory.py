"""Estimate the memory that a recipe needs, before it runs.

Two steps are run with fake tensors, which have shapes but no content. Nothing is computed or allocated, but every
storage that a real step would hold is counted from its creation to its release.
"""

from __future__ import annotations

import os
import traceback
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pixforge.contracts.constants import forget_constants
from pixforge.engine.build import build
from pixforge.engine.devices import choose_device
from pixforge.engine.room import count_anew, held, peak
from pixforge.engine.step import advance
from pixforge.engine.updates import ScheduledOptimizer, Update, make_update
from pixforge.errors import InputError

if TYPE_CHECKING:
    from pixforge.recipe import Recipe

# Measured on CPUs: bytes that libraries load at the first step, and the share of scratch memory that convolutions add.
LIBRARIES, SCRATCH = 40 * 2**20, 0.1


@dataclass(frozen=True)
class Estimate:
    """Memory in bytes: `built` by the program and its models before the first step, and in addition during a `step`.

    `start` is the peak before the first step: an init may use networks that are gone by then.
    """

    built: int
    step: int
    device: torch.device
    start: int = 0

    @property
    def total(self) -> int:
        """The peak of a run in bytes: of the whole process on a CPU, of the device's allocations on a GPU."""
        return max(self.built + self.step, self.start)


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


class _Guessing:
    """An update; where its optimizer asks for values, copies of what is trained stand for the optimizer's state.

    AdamP and Prodigy do so; Prodigy, which keeps most, keeps four tensors of the size of the latent.
    """

    COPIES = 4

    def __init__(self, update: Update) -> None:
        self._update = update
        self._state: list[torch.Tensor] = []

    def step(self, step: int) -> float:
        """Update as far as it can be told without values."""
        from torch._subclasses.fake_tensor import DataDependentOutputException

        try:
            return self._update.step(step)
        except DataDependentOutputException:
            if not isinstance(self._update, ScheduledOptimizer):
                raise
            for each in self._update.parameters:
                each.grad = None
                if len(self._state) < self.COPIES * len(self._update.parameters):
                    self._state += [torch.empty_like(each) for _ in range(self.COPIES)]
            return 0.0

    def state(self) -> dict[str, torch.Tensor]:
        """That of the update."""
        return self._update.state()

    def load_state(self, saved: Mapping[str, torch.Tensor]) -> None:
        """Hand it to the update."""
        self._update.load_state(saved)


def _asking(error: BaseException) -> str:
    """File and line of the component that asked: the last that is not torch's."""
    frames = [
        each
        for each in traceback.extract_tb(error.__traceback__)
        if f"{os.sep}torch{os.sep}" not in each.filename
    ]
    own = [each for each in frames if not each.filename.endswith(__file__)]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"


def id_of(tensor: torch.Tensor) -> int:
    """An identifier of the tensor's storage, which views share."""
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - torch's own tools identify storages by it


def estimate(recipe: Recipe) -> Estimate:
    """Build a recipe's components, including its models, and estimate the memory of a step.

    Raises:
        PixforgeError: the recipe cannot be built, as in a run.
        InputError: a component asks for the values of tensors.
    """
    from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

    one = recipe.device if isinstance(recipe.device, str) else recipe.device[0]
    device = choose_device(one)
    count_anew(device)
    session = build(recipe.model_copy(update={"device": one, "compile": False, "cuda_graphs": False}))
    session.checked = True
    watch = _Watch()
    built, start = held(device), peak(device)
    forget_constants()
    try:
        with FakeTensorMode(allow_non_fake_inputs=True), watch:
            update = _Guessing(make_update(session))
            # The second step also holds what the first one left: moments, buffers, the last picture.
            for first in sorted({0, max(0, session.generator.largest_from - 1)}):
                image = session.generator.forward(first)
                for step in (first, first + 1):
                    image = advance(session, update, image, step).image
    except DataDependentOutputException as error:
        raise InputError(
            f"{_asking(error)} asks for the value of a tensor, as .item() and bool() do; the memory of such a recipe "
            "cannot be estimated"
        ) from error
    finally:
        forget_constants()
    step = watch.peak
    beside = LIBRARIES + int(SCRATCH * step) if device.type == "cpu" else 0
    return Estimate(built, step + beside, device, start)
