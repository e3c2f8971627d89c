"""The update of the latent: one of torch's optimizers with a scheduled learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from pixforge.contracts import Scene, Schedule

if TYPE_CHECKING:
    from pixforge.recipe.optimizers import OptimizerConfig


class Descent:
    """An optimizer over the parameter groups of a generator.

    Args:
        config: names torch's class and its arguments; `learning_rate` is a schedule.
        groups: as torch takes them; `scale` in a group multiplies the learning rate.
        scene: for the length of the run.
        factor: multiplies the learning rate; below 1 after a recovery.
    """

    def __init__(
        self, config: OptimizerConfig, groups: list[dict[str, Any]], scene: Scene, factor: float = 1.0
    ) -> None:
        assert config.learning_rate is not None  # a resolved recipe has one
        self._rate: Schedule = config.learning_rate
        self._steps = scene.steps
        self._factor = factor
        self._name = config.torch_name.lower()
        factory = getattr(torch.optim, config.torch_name)
        self._optimizer: torch.optim.Optimizer = factory(groups, lr=self.rate(0), **config.arguments())

    @property
    def parameters(self) -> list[torch.Tensor]:
        """What is trained, in the order of the groups."""
        return [each for group in self._optimizer.param_groups for each in group["params"]]

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return self._rate.at(step, self._steps) * self._factor

    def step(self, step: int) -> float:
        """Update the latent by its gradient, clear that, and return the learning rate."""
        rate = self.rate(step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        self._optimizer.step()
        self._optimizer.zero_grad()
        return rate

    def state(self) -> dict[str, torch.Tensor]:
        """Moments and counts, as `adam/0/exp_avg`: the class, the number of the parameter, torch's name."""
        every = self._optimizer.state_dict()["state"]
        return {
            f"{self._name}/{number}/{name}": value if torch.is_tensor(value) else torch.tensor(value)
            for number, values in every.items()
            for name, value in values.items()
            if value is not None  # SGD without momentum has no buffer
        }

    def load_state(self, saved: Mapping[str, torch.Tensor]) -> None:
        """Take over what `state` gave; that of another class is left alone, and the moments start anew."""
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
