"""How the latent is updated after the gradient is there: by an optimizer, or by the generator itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch

from pixforge.contracts import Generator, Moment, Optimizer, RunContext, Schedule
from pixforge.contracts.moment import spans
from pixforge.errors import InputError

if TYPE_CHECKING:
    from pixforge.engine.session import Session
    from pixforge.engine.stopping import Stopping


class Update(Protocol):
    """What the loop asks for after each backward pass."""

    def step(self, step: int) -> float:
        """Update the latent by its gradient, clear that, and return the learning rate."""

    def state(self) -> dict[str, torch.Tensor]:
        """What a resumed run needs beside the latent."""

    def load_state(self, saved: Mapping[str, torch.Tensor]) -> None:
        """Take over what `state` gave."""


def make_update(session: Session, factor: float = 1.0) -> Update:
    """The update of a run; `factor` multiplies the learning rate, below 1 after a recovery."""
    rate = LearningRate(session.recipe.optimizer.learning_rate, session.context, factor, session.stopping)
    if owns_update(session.generator):
        if session.optimizer.config.reset is not None:
            raise InputError(
                f"optimizer.reset: {session.generator.config.type} updates its latent itself, "
                "so there are no moments to reset; leave it out"
            )
        return OwnUpdate(session.generator, rate)
    return ScheduledOptimizer(session.optimizer, session.generator.parameter_groups(), rate)


def owns_update(generator: Generator[Any]) -> bool:
    """Whether a generator updates its latent itself."""
    return type(generator).update is not Generator.update


class LearningRate:
    """The learning rate over a run."""

    def __init__(
        self,
        schedule: Schedule | None,
        context: RunContext,
        factor: float = 1.0,
        stopping: Stopping | None = None,
    ) -> None:
        assert schedule is not None  # a resolved recipe has one
        self._schedule, self._context, self._factor, self._stopping = schedule, context, factor, stopping

    def at(self, step: int) -> float:
        """At a step."""
        dropped = 1.0 if self._stopping is None else self._stopping.factor(step)
        return self._context.value(self._schedule, step) * self._factor * dropped


class OwnUpdate:
    """A generator that updates itself, a sampler of a diffusion model for one."""

    def __init__(self, generator: Generator[Any], rate: LearningRate) -> None:
        self._generator, self._rate = generator, rate

    def step(self, step: int) -> float:
        """Let the generator update its latent; the gradient is cleared after it."""
        rate = self._rate.at(step)
        with torch.no_grad():
            self._generator.update(step, rate)
        for latent in self._generator.latents().values():
            latent.grad = None
        return rate

    def state(self) -> dict[str, torch.Tensor]:
        """Nothing: the generator's own state is saved with it."""
        return {}

    def load_state(self, saved: Mapping[str, torch.Tensor]) -> None:
        """There is nothing to take over."""


class ScheduledOptimizer:
    """An optimizer over the parameter groups of a generator, with a learning rate that may change.

    Args:
        component: makes the optimizer.
        groups: as torch takes them; `scale` in a group, if there, multiplies the learning rate.
        rate: the learning rate.
    """

    def __init__(self, component: Optimizer[Any], groups: list[dict[str, Any]], rate: LearningRate) -> None:
        self._component, self._groups, self._rate = component, groups, rate
        self._name = str(component.config.type)
        self._clamp = component.config.clamp
        self._optimizer = self._made(0)
        if component.config.reset == "frame" and component.context.film is None:
            raise InputError("optimizer.reset: there are no frames without a film; give steps, such as 20")

    def _made(self, step: int) -> torch.optim.Optimizer:
        """Without moments; torch writes into the groups, so they are copied."""
        return self._component.make([dict(group) for group in self._groups], self._rate.at(step))

    @property
    def parameters(self) -> list[torch.Tensor]:
        """What is trained, in the order of the groups."""
        return [each for group in self._optimizer.param_groups for each in group["params"]]

    def step(self, step: int) -> float:
        """Update the latent by its gradient, clear that, and return the learning rate."""
        rate = self._rate.at(step)
        if resets(self._component.config.reset, self._component.context, step):
            self._optimizer = self._made(step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group.get("scale", 1.0)
        if self._clamp is not None:
            clamp_gradient(self.parameters, self._clamp)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return rate

    def state(self) -> dict[str, torch.Tensor]:
        """Moments and counts, as `adam/0/exp_avg`: the word in the recipe, the number of the parameter, torch's name."""
        every = self._optimizer.state_dict()["state"]
        return {
            f"{self._name}/{number}/{name}": value if torch.is_tensor(value) else _exactly(value)
            for number, values in every.items()
            for name, value in values.items()
            if value is not None  # SGD without momentum has no buffer
        }

    def load_state(self, saved: Mapping[str, torch.Tensor]) -> None:
        """Take over what `state` gave; that of another optimizer is left alone, and the moments start anew."""
        parameters = self.parameters
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in saved.items():
            name, number, field = key.split("/")
            if name != self._name:
                continue
            if value.dim() and value.shape != parameters[int(number)].shape:
                raise ValueError(f"{key} has the shape {list(value.shape)}")
            state.setdefault(int(number), {})[field] = value.clone()
        whole = self._optimizer.state_dict()
        self._optimizer.load_state_dict({**whole, "state": state})


def resets(when: list[float | str] | float | str | None, context: RunContext, step: int) -> bool:
    """Whether the moments start anew after `step` updates: at a moment of a list, or each time that a span is over."""
    if when is None or step == 0:
        return False
    if when == "frame":
        return context.film is not None and context.film.frame(step) is not None
    now, before = context.moment(step), context.moment(step - 1)
    if isinstance(when, list):
        return any(_passed(each, before) < 1 <= _passed(each, now) for each in when)
    return _passed(when, before) < _passed(when, now)


def _passed(span: float | str, moment: Moment) -> int:
    """Whole spans; the tiny addition undoes rounding, by which three tenths are less than three times a tenth."""
    return math.floor(spans(span, moment) + 1e-9)


def _exactly(number: float) -> torch.Tensor:
    """Python's numbers have more digits than torch gives them by default."""
    return torch.tensor(number, dtype=torch.float64 if isinstance(number, float) else None)


@torch.no_grad()
def clamp_gradient(parameters: Sequence[torch.Tensor], most: float) -> None:
    """Shorten the gradient of each canvas, whose parts are the first dimension, to a root mean square of `most`."""
    gradients = [each.grad for each in parameters if each.grad is not None]
    if not gradients:
        return
    count = sum(each[0].numel() for each in gradients)
    squares = torch.stack([each.flatten(1).square().sum(dim=1) for each in gradients]).sum(dim=0)
    factor = (most / (squares / count).sqrt().clamp(min=1e-12)).clamp(max=1)
    for each in gradients:
        each.mul_(factor.view(-1, *[1] * (each.dim() - 1)))
