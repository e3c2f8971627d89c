"""Upscale: a larger picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.contracts import Filter, FilterConfig
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class UpscaleConfig(FilterConfig):
    """By how much, and how."""

    type: Literal["upscale"] = "upscale"
    factor: int = Field(
        2, ge=2, le=8, strict=True, description="The saved picture has so many times the width and height."
    )
    method: Literal["bicubic", "bilinear", "nearest"] = Field(
        "bicubic", description="bicubic: sharp; bilinear: soft; nearest: squares, for pixel art."
    )


class Upscale(Filter[UpscaleConfig]):
    """Enlarges what is saved, without a network: no detail is made up. Perceptors see the enlarged picture as well."""

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """`[B, C, factor H, factor W]`."""
        import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

        method = self.config.method
        align = None if method == "nearest" else False
        made = F.interpolate(images, scale_factor=self.config.factor, mode=method, align_corners=align)
        return made.clamp(0, 1)
