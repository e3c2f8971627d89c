"""Black and white."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Config, Filter, Range, Schedule
from pixforge.contracts.draws import Stream

if TYPE_CHECKING:
    import torch


class GrayscaleConfig(Config):
    """How much."""

    type: Literal["grayscale"] = "grayscale"
    amount: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(1.0), description="0 leaves the colors, 1 takes them all."
    )


class Grayscale(Filter[GrayscaleConfig]):
    """Takes the color from the picture, the saved one included."""

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """Blend with the luma of ITU-R BT.601."""
        red, green, blue = images.unbind(dim=1)
        gray = (0.299 * red + 0.587 * green + 0.114 * blue).unsqueeze(1)
        amount = self.config.amount.at(step, self.scene.steps)
        return images + (gray - images) * amount
