"""An edit: every few steps a band of the picture is smeared sideways, so that the run has to draw it anew.

plugins: [plugins/smear.py]
edits: [{type: smear, every: 10}]
"""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch


class SmearConfig(pixforge.EditConfig):
    """How wide the band is."""

    type: Literal["smear"] = "smear"
    height: float = Field(0.2, gt=0, le=1, description="Of the band, as a share of the picture's.")


class Smear(pixforge.Edit[SmearConfig]):
    """Replaces the rows of a band, at a random place, by their means."""

    def forward(self, images: "torch.Tensor", step: int) -> "torch.Tensor":
        """The picture with the band."""
        import torch

        rows = images.shape[-2]
        place = self.context.draws.at("smear", step).rand(1)[:, :, None, None]  # [B, 1, 1, 1]
        row = torch.arange(rows, device=images.device)[:, None] / rows
        band = (row >= place * (1 - self.config.height)) & (row < place + self.config.height)
        return torch.where(band, images.mean(dim=-1, keepdim=True), images)


@pixforge.hookimpl
def pixforge_edits() -> list[type[Smear]]:
    """The list that makes it known."""
    return [Smear]
