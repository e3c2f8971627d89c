"""A picture laid over the one that is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Edit, EditConfig, Range, RunContext, Schedule
from pixforge.contracts.paths import RecipePath

if TYPE_CHECKING:
    import torch


class OverlayConfig(EditConfig):
    """Which picture, how strong, how often and until when."""

    type: Literal["overlay"] = "overlay"
    image: RecipePath = Field(description="The picture's file, relative to the recipe; it fills the size.")
    opacity: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.5), description="Share of the overlay: 0 changes nothing, 1 replaces the picture."
    )


class Overlay(Edit[OverlayConfig]):
    """Lays a picture over the one that is made, every few steps (Pixray's overlay, VQGAN-CLIP's image feedback)."""

    def __init__(self, config: OverlayConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self._picture = context.read_image(config.image).unsqueeze(0)

    def forward(self, images: torch.Tensor, step: int) -> torch.Tensor:
        """The mixture."""
        import torch

        from pixforge.media.images import cover

        over = cover(self._picture, (images.shape[-1], images.shape[-2]))
        opacity = self.context.value(self.config.opacity, step)
        mixed = images.clone()
        mixed[:, :3] = images[:, :3].lerp(over.expand_as(images[:, :3]), opacity)
        mixed[:, 3:] = images[:, 3:].lerp(
            torch.ones_like(images[:, 3:]), opacity
        )  # alpha, where there is one
        return mixed
