"""Random parts of cutouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.contracts import Augmentation, Config, Range, Schedule
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch

Share = Annotated[float, Field(gt=0, le=1)]


class CropConfig(Config):
    """How large, and how often."""

    type: Literal["crop"] = "crop"
    scale: tuple[Share, Share] = Field(
        (0.5, 1.0), description="Smallest and largest share of the cutout's area."
    )
    ratio: float = Field(1.33, ge=1, le=4, description="Largest ratio of the sides, in both directions.")
    probability: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(1.0), description="Share of cutouts that are cropped."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.scale[0] > self.scale[1]:
            raise ValueError(
                f"the smallest share ({self.scale[0]:g}) is above the largest ({self.scale[1]:g})"
            )
        return self


class Crop(Augmentation[CropConfig]):
    """Cuts a random part out of each cutout and enlarges it (VQGAN-CLIP's Re and Cr)."""

    def warp(self, draws: Stream, count: int, step: int) -> torch.Tensor:
        """The matrices `[B, K, 3, 3]`: a rectangle inside of the cutout."""
        import math

        import torch

        low, high = self.config.scale
        area = draws.uniform(low, high, count)
        stretch = (draws.uniform(-1, 1, count) * math.log(self.config.ratio) / 2).exp()
        width, height = (area.sqrt() * stretch).clamp(max=1), (area.sqrt() / stretch).clamp(max=1)
        kept = draws.rand(count) >= self.context.value(self.config.probability, step)
        width, height = (torch.where(kept, 1.0, side) for side in (width, height))
        x, y = draws.uniform(-1, 1, 2, count).unbind(dim=1)
        zero, one = torch.zeros_like(x), torch.ones_like(x)
        rows = [width, zero, x * (1 - width), zero, height, y * (1 - height), zero, zero, one]
        return torch.stack(rows, dim=-1).reshape(*x.shape, 3, 3)
