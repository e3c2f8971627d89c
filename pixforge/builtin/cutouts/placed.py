"""The base of strategies that return a whole `Placement`: not only boxes, but also padding and colors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pixforge.contracts import Config, Cutouts
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch

C = TypeVar("C", bound=Config)


class Placed(Cutouts[C]):
    """A strategy that overrides `place`; its configuration must have a `count`."""

    @property
    def count(self) -> int:
        """K, the number of cutouts."""
        config: Any = self.config
        return int(config.count)

    def boxes(self, draws: Stream, size: tuple[int, int], step: int) -> torch.Tensor:
        """The boxes for a perceptor whose input size is the picture's shorter side."""
        return self.place(draws, size, step, min(size)).boxes
