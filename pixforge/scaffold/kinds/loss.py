"""A loss for pixforge: pictures of a certain brightness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class PlaceholderConfig(pixforge.LossConfig):
    """What a recipe may say: `{type: placeholder, level: 0.2, weight: 3}`."""

    type: Literal["placeholder"] = "placeholder"
    level: Annotated[pixforge.Schedule, pixforge.Range(ge=0, le=1)] = Field(
        pixforge.Schedule(0.5), description="The wanted brightness, from 0 (black) to 1 (white)."
    )


class Placeholder(pixforge.Loss[PlaceholderConfig]):
    """The squared difference between a picture's mean brightness and the wanted one."""

    def forward(self, view: pixforge.View) -> torch.Tensor:
        """`[B]`, 0 to 1: `view.image` is `[B, 3, H, W]` in [0, 1]; `view.mean` is that of the region, if there is one."""
        brightness = view.mean(view.image)
        return (brightness - view.value(self.config.level)).square()


@pixforge.hookimpl
def pixforge_losses() -> list[type[pixforge.Loss[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
