"""The update of the latent: one of torch's optimizers with a scheduled learning rate."""

from __future__ import annotations

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
    """

    def __init__(self, config: OptimizerConfig, groups: list[dict[str, Any]], scene: Scene) -> None:
        assert config.learning_rate is not None  # a resolved recipe has one
        self._rate: Schedule = config.learning_rate
        self._steps = scene.steps
        factory = getattr(torch.optim, config.torch_name)
        self._optimizer: torch.optim.Optimizer = factory(
            groups, lr=self._rate.at(0, self._steps), **config.arguments()
        )

    def step(self, step: int) -> float:
        """Update the latent by its gradient, clear that, and return the learning rate."""
        rate = self._rate.at(step, self._steps)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        self._optimizer.step()
        self._optimizer.zero_grad()
        return rate
