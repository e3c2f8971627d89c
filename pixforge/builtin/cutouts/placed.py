"""What strategies share that say more of a cutout than where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pixforge.contracts import Config, Cutouts
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch

C = TypeVar("C", bound=Config)


class Placed(Cutouts[C]):
    """A strategy with a `count` in its configuration, that overrides `place`."""

    @property
    def count(self) -> int:
        """K."""
        config: Any = self.config
        return int(config.count)

    def boxes(self, draws: Stream, size: tuple[int, int], step: int) -> torch.Tensor:
        """Where they lie for a perceptor that sees the picture at its own size."""
        return self.place(draws, size, step, min(size)).boxes
