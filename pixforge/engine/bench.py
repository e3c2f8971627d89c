"""Measure the time of a step, of the models' own arithmetic (the floor), and of each component.

Steps and floors alternate, so that a change of the machine's speed affects both. The floor is one forward and backward
pass of the generator, and one forward and input-gradient backward pass of each perceptor on prepared cutouts. Each
component is timed alone, forward and backward; the rest of the step's time belongs to the engine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from pixforge.contracts import Augmentation, Component, Filter, Loss, Perceptor, Stream
from pixforge.contracts.gradients import root_of
from pixforge.engine.room import peak
from pixforge.engine.step import advance, make_view
from pixforge.engine.updates import make_update
from pixforge.engine.warp import ImagePyramid, pyramid_levels

if TYPE_CHECKING:
    from pixforge.engine.session import Session

ENGINE = "engine"
WARM = 2
Work = Callable[[], object]


@dataclass(frozen=True)
class Part:
    """A component's share of a step, in seconds; `plugin` is `engine` for work that belongs to no component."""

    kind: str
    name: str
    plugin: str
    seconds: float


@dataclass(frozen=True)
class Measurement:
    """Medians in seconds, the ratio of step to floor with its quartiles, the parts, and the peak memory in bytes."""

    step: float
    floor: float
    ratio: float
    quartiles: tuple[float, float]
    parts: tuple[Part, ...]
    memory: int


class Stepper:
    """Makes the engine's steps one at a time, exactly as a run does, from the largest on."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._update = make_update(session)
        self._image: torch.Tensor | None = None
        steps = session.context.steps
        self._step = min(max(session.generator.largest_from - 1, 0), max(steps - 1, 0))

    def __call__(self) -> None:
        """Make the next step; after the last step, start again with the first."""
        image = self._session.generator.forward(self._step) if self._image is None else self._image
        self._image = advance(self._session, self._update, image, self._step).image
        self._step += 1
        if self._step >= self._session.context.steps:
            self._step, self._image = 0, None

    def again(self) -> None:
        """Make the picture anew that the next step begins with: a recorded generator's is gone after another use."""
        self._image = self._session.generator.forward(self._step)

    def update(self) -> None:
        """Run the optimizer alone, with zero gradients, since without any it would skip its work."""
        for latent in self._session.generator.latents().values():
            latent.grad = torch.zeros_like(latent) if latent.requires_grad else None
        self._update.step(0)


def measure(session: Session, rounds: int) -> Measurement:
    """Time steps, floors and parts; the session cannot be used for a run afterwards."""
    device, stepper, floor = session.context.device, Stepper(session), make_floor(session)
    for _ in range(WARM):
        stepper.again()
        stepper()
        floor()
    pairs = []
    for _ in range(rounds):
        stepper.again()
        pairs.append((seconds(stepper, device), seconds(floor, device)))
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
    """The time of one call in seconds, including its work on the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def make_floor(session: Session) -> Work:
    """A function that runs only the models, on fixed inputs."""
    image, ready = _ready(session)
    gradient = torch.randn_like(image)

    def work() -> None:
        _back(session.generator.forward(0), gradient)
        for group in session.groups:
            cutouts = ready[group.perceptor.input_size].flatten(0, 1).detach().requires_grad_()
            _back(group.perceptor.encode_image(cutouts))

    return work


def _ready(session: Session) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
    """A picture, and its cutouts for each input size."""
    sizes = [group.perceptor.input_size for group in session.groups]
    with torch.no_grad():
        image = session.generator.forward(0).detach()
        plan = session.sampler.plan((image.shape[-1], image.shape[-2]), 0, min(sizes))
        return image, {size: session.sampler.cut(image, plan, size) for size in dict.fromkeys(sizes)}


def _back(result: torch.Tensor, gradient: torch.Tensor | None = None) -> None:
    if result.requires_grad:
        root_of(result, torch.ones_like(result) if gradient is None else gradient).backward()  # type: ignore[no-untyped-call]


class _Parts:
    """The work of each part of a step, on fixed inputs."""

    def __init__(self, session: Session, stepper: Stepper) -> None:
        self._session = session
        self._stepper = stepper
        self._image, self._ready = _ready(session)
        self._size = (self._image.shape[-1], self._image.shape[-2])
        self._plan = session.sampler.plan(self._size, 0, min(self._ready))

    def all(self) -> Iterator[tuple[str, str, str, Work]]:
        """Yield the kind, name, plugin and work of every part."""
        session, sampler = self._session, self._session.sampler
        yield *self._called(session.generator), lambda: _back(session.generator.forward(0))
        for each in session.filters:
            yield *self._called(each), partial(self._filter, each)
        yield *self._called(sampler.cutouts), self._place
        for side in self._ready:
            name = f"{sampler.count * session.context.batch} x {side}"
            yield "sampling of cutouts", name, ENGINE, partial(self._sample, side)
        for augmentation in sampler.augmentations:
            yield *self._called(augmentation), partial(self._augment, augmentation)
        for group in session.groups:
            yield *self._called(group.perceptor, group.name), partial(self._perceive, group.perceptor)
        for name, loss in session.losses.items():
            yield *self._called(loss, name), partial(self._loss, name, loss)
        yield *self._called(session.optimizer), self._stepper.update

    def _called(self, component: Component[Any], name: str | None = None) -> tuple[str, str, str]:
        config: Any = component.config
        info = self._session.recipe.origin.registry.of(config, component.kind).plugin
        builtin = info.source.startswith("pixforge.builtin")
        return (
            component.kind,
            name or str(config.type),
            "pixforge" if builtin else info.distribution or info.name,
        )

    def _draws(self, device: str | None = None) -> Stream:
        return self._session.context.draws.at("bench", device=device)

    def _leaf(self) -> torch.Tensor:
        return self._image.detach().requires_grad_()

    def _filter(self, each: Filter[Any]) -> None:
        _back(each.forward(self._leaf(), self._draws(), 0))

    def _place(self) -> None:
        self._session.sampler.cutouts.place(self._draws("cpu"), self._size, 0, min(self._ready))

    def _sample(self, side: int) -> None:
        plan = self._plan
        pyramid = ImagePyramid(self._leaf(), pyramid_levels(self._size, side), wrap="wrap" in plan.padding)
        _back(pyramid.sample(plan.warps, side, plan.padding, plan.gray, plan.colors))

    def _augment(self, each: Augmentation[Any]) -> None:
        count = self._session.sampler.count
        each.warp(self._draws("cpu"), count, 0)
        each.color(self._draws("cpu"), count, 0)
        for cutouts in self._ready.values():
            _back(each.apply(cutouts.detach().requires_grad_(), self._draws(), 0))

    def _perceive(self, perceptor: Perceptor[Any]) -> None:
        _back(
            perceptor.encode_image(self._ready[perceptor.input_size].flatten(0, 1).detach().requires_grad_())
        )

    def _loss(self, name: str, loss: Loss[Any]) -> None:
        leaf = self._leaf()
        features = self._session.perception.features(leaf, 0) if loss.sees_features else None
        _back(loss.forward(make_view(self._session, name, leaf, 0, features)))
