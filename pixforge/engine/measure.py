"""What a step costs, beside the floor of the models' own arithmetic, and which component takes how much of it.

The step and the floor alternate, so that both meet the same machine. The floor is one forward and backward pass of the
generator, and one forward and input-gradient backward pass of each perceptor on ready cutouts. The parts are timed
each alone, forward and backward; what they leave of the step is the engine's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from pixforge.contracts import Augmentation, Component, Filter, Loss, Perceptor, Stream, View
from pixforge.engine.memory import peak
from pixforge.engine.optimize import backward
from pixforge.engine.optimizers import Descent
from pixforge.engine.warp import Atlas, pyramid_levels

if TYPE_CHECKING:
    from pixforge.engine.session import Session

ENGINE = "engine"
WARM = 2
Work = Callable[[], object]


@dataclass(frozen=True)
class Part:
    """A component's share of a step, in seconds; `plugin` is `engine` for what is no component."""

    kind: str
    name: str
    plugin: str
    seconds: float


@dataclass(frozen=True)
class Measurement:
    """Medians in seconds, the step over the floor with its quartiles, the parts, and the peak of memory in bytes."""

    step: float
    floor: float
    ratio: float
    quartiles: tuple[float, float]
    parts: tuple[Part, ...]
    memory: int


class Stepper:
    """The engine's step as the loop takes it, one at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.descent = Descent(session.recipe.optimizer, session.generator.parameter_groups(), session.scene)
        self.step = 0

    def __call__(self) -> None:
        """Take the next one."""
        session = self._session
        backward(session, session.generator.forward(self.step), self.step)
        self.descent.step(self.step)
        with torch.no_grad():
            session.generator.constrain()
        self.step = (self.step + 1) % max(session.scene.steps, 1)

    def update(self) -> None:
        """The optimizer alone; without gradients it would have nothing to do."""
        for parameter in self.descent.parameters:
            parameter.grad = torch.zeros_like(parameter)
        self.descent.step(0)


def measure(session: Session, rounds: int) -> Measurement:
    """Time steps, floors and parts; the session is used up by it."""
    device, stepper, floor = session.scene.device, Stepper(session), make_floor(session)
    for _ in range(WARM):
        stepper()
        floor()
    pairs = [(seconds(stepper, device), seconds(floor, device)) for _ in range(rounds)]
    memory = peak(device)
    ratios = sorted(step / bare for step, bare in pairs)
    parts = tuple(
        Part(kind, name, plugin, statistics.median(seconds(work, device) for _ in range(max(3, rounds // 2))))
        for kind, name, plugin, work in _Parts(session, stepper).all()
    )
    quartiles = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    steps, floors = zip(*pairs, strict=True)
    return Measurement(
        statistics.median(steps),
        statistics.median(floors),
        statistics.median(ratios),
        quartiles,
        parts,
        memory,
    )


def seconds(work: Work, device: torch.device) -> float:
    """Of one call, its work on the device included."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def make_floor(session: Session) -> Work:
    """The bare arithmetic on fixed inputs."""
    image, ready = _ready(session)
    gradient = torch.randn_like(image)

    def work() -> None:
        _back(session.generator.forward(0), gradient)
        for eye in session.eyes:
            cutouts = ready[eye.perceptor.input_size].flatten(0, 1).detach().requires_grad_()
            _back(eye.perceptor.encode_image(cutouts))

    return work


def _ready(session: Session) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
    """A picture, and its cutouts by input size."""
    sizes = [eye.perceptor.input_size for eye in session.eyes]
    with torch.no_grad():
        image = session.generator.forward(0).detach()
        plan = session.cutter.plan((image.shape[-1], image.shape[-2]), 0, min(sizes))
        return image, {size: session.cutter.cut(image, plan, size) for size in dict.fromkeys(sizes)}


def _back(result: torch.Tensor, gradient: torch.Tensor | None = None) -> None:
    if result.requires_grad:
        torch.autograd.backward(result, torch.ones_like(result) if gradient is None else gradient)


class _Parts:
    """What each part does in a step, on fixed inputs."""

    def __init__(self, session: Session, stepper: Stepper) -> None:
        self._session = session
        self._stepper = stepper
        self._image, self._ready = _ready(session)
        self._size = (self._image.shape[-1], self._image.shape[-2])
        self._plan = session.cutter.plan(self._size, 0, min(self._ready))

    def all(self) -> Iterator[tuple[str, str, str, Work]]:
        """Every part by kind, name and plugin."""
        session, cutter = self._session, self._session.cutter
        yield *self._called(session.generator), lambda: _back(session.generator.forward(0))
        for each in session.filters:
            yield *self._called(each), partial(self._filter, each)
        yield *self._called(cutter.cutouts), self._place
        for side in self._ready:
            name = f"{cutter.count * session.scene.batch} x {side}"
            yield "sampling of cutouts", name, ENGINE, partial(self._sample, side)
        for augmentation in cutter.augmentations:
            yield *self._called(augmentation), partial(self._augment, augmentation)
        for eye in session.eyes:
            yield *self._called(eye.perceptor, eye.name), partial(self._perceive, eye.perceptor)
        for name, loss in session.losses.items():
            yield *self._called(loss, name), partial(self._loss, loss)
        yield "optimizer", session.recipe.optimizer.torch_name, ENGINE, self._stepper.update

    def _called(self, component: Component[Any], name: str | None = None) -> tuple[str, str, str]:
        config: Any = component.config
        info = self._session.recipe.context.registry.of(config, component.kind).plugin
        builtin = info.source.startswith("pixforge.builtin")
        return (
            component.kind,
            name or str(config.type),
            "pixforge" if builtin else info.distribution or info.name,
        )

    def _draws(self, device: str | None = None) -> Stream:
        return self._session.scene.draws.at("bench", device=device)

    def _leaf(self) -> torch.Tensor:
        return self._image.detach().requires_grad_()

    def _filter(self, each: Filter[Any]) -> None:
        _back(each.forward(self._leaf(), self._draws(), 0))

    def _place(self) -> None:
        self._session.cutter.cutouts.place(self._draws("cpu"), self._size, 0, min(self._ready))

    def _sample(self, side: int) -> None:
        plan = self._plan
        atlas = Atlas(self._leaf(), pyramid_levels(self._size, side), wrap="wrap" in plan.padding)
        _back(atlas.sample(plan.warps, side, plan.padding, plan.gray, plan.colors))

    def _augment(self, each: Augmentation[Any]) -> None:
        count = self._session.cutter.count
        each.warp(self._draws("cpu"), count, 0)
        each.color(self._draws("cpu"), count, 0)
        for cutouts in self._ready.values():
            _back(each.apply(cutouts.detach().requires_grad_(), self._draws(), 0))

    def _perceive(self, perceptor: Perceptor[Any]) -> None:
        _back(
            perceptor.encode_image(self._ready[perceptor.input_size].flatten(0, 1).detach().requires_grad_())
        )

    def _loss(self, loss: Loss[Any]) -> None:
        _back(loss.forward(View(self._leaf(), self._session.generator, self._session.scene, 0)))
