"""An example of a plugin in one file: a loss that pulls colors towards red and yellow, or with `cold`, to blue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class WarmthConfig(pixforge.LossConfig):
    """Which way."""

    type: Literal["warmth"] = "warmth"
    cold: bool = Field(default=False, description="Towards blue instead.")


class Warmth(pixforge.Loss[WarmthConfig]):
    """The mean of blue minus red: low for warm pictures, high for cold ones."""

    def forward(self, view: pixforge.View) -> torch.Tensor:
        """`[B]`, -1 to 1."""
        difference = view.mean(view.image[:, 2] - view.image[:, 0])
        return -difference if self.config.cold else difference


@pixforge.hookimpl
def pixforge_losses() -> list[type[pixforge.Loss[Any]]]:
    """The list that makes it known."""
    return [Warmth]
