"""What a loss looks at in one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pixforge.contracts.context import RunContext
from pixforge.contracts.random import Stream
from pixforge.contracts.schedule import Schedule
from pixforge.errors import PluginError

if TYPE_CHECKING:
    import torch

    from pixforge.contracts.generator import Generator


@dataclass(frozen=True)
class View:
    """What a loss looks at in one step.

    `image` is `[B, 3, H, W]` in [0, 1] with gradient, after all filters. If the generator makes alpha, the picture lies
    over a middle gray there, and `alpha` is `[B, 1, H, W]` in [0, 1] with gradient; it is None for other generators. `generator` gives access to the latent, which
    has a gradient as well. `name` is the loss's own in this run. `mask` is `[1, 1, H, W]` in [0, 1] when the loss has a
    region (`where`): the gradient of `image` is 0 outside, and `mean` weighs by it.
    """

    image: torch.Tensor
    generator: Generator[Any]
    context: RunContext
    step: int
    name: str = ""
    mask: torch.Tensor | None = None
    embeddings: Mapping[str, torch.Tensor] | None = None
    alpha: torch.Tensor | None = None

    def value(self, schedule: Schedule) -> float:
        """The value of a schedule at this step."""
        return self.context.value(schedule, self.step)

    def draws(self, purpose: str) -> Stream:
        """Random numbers for this step, of this loss alone."""
        return self.context.draws.at(f"loss/{self.name}/{purpose}", self.step)

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """`[B]`: the mean of values of pixels, `[B, ..., H, W]`, over the region of the loss, or the whole picture."""
        every = tuple(range(1, values.dim()))
        if self.mask is None:
            return values.mean(dim=every)
        weights = self.mask[0, 0].expand(1, *values.shape[1:])
        return (values * weights).sum(dim=every) / weights.sum().clamp(min=1e-6)

    def features(self, name: str | None = None) -> torch.Tensor:
        """What a perceptor saw in this step: unit vectors `[B, K, D]` of the cutouts, with gradient.

        Args:
            name: the perceptor's as the report calls it, `embedded` for one; without it, the first.

        Raises:
            PluginError: the loss does not say `sees_features`, or there is no such perceptor.
        """
        if self.embeddings is None:
            raise PluginError(
                f"loss '{self.name}' reads view.features; its class must say `sees_features = True`"
            )
        if name is not None and name not in self.embeddings:
            known = ", ".join(self.embeddings)
            raise PluginError(f"loss '{self.name}' asks for the perceptor '{name}'; there are: {known}")
        return self.embeddings[name or next(iter(self.embeddings))]
