"""An edit for pixforge: between two steps the picture drifts to the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class PlaceholderConfig(pixforge.EditConfig):
    """What a recipe may say: `{type: placeholder, pixels: 4, every: 10}`."""

    type: Literal["placeholder"] = "placeholder"
    pixels: int = Field(1, ge=-1000, le=1000, strict=True, description="To the right each time.")


class Placeholder(pixforge.Edit[PlaceholderConfig]):
    """Moves the picture sideways; what leaves on one side comes back on the other."""

    def forward(self, images: torch.Tensor, step: int) -> torch.Tensor:  # noqa: ARG002 - the same at every step
        """`[B, C, H, W]` in [0, 1], a new tensor of the same shape."""
        return images.roll(self.config.pixels, dims=-1)


@pixforge.hookimpl
def pixforge_edits() -> list[type[pixforge.Edit[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
