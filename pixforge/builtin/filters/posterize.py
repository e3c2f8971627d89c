"""Posterize: few levels in each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.contracts import Filter, FilterConfig
from pixforge.contracts.alpha import recolored
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class PosterizeConfig(FilterConfig):
    """How many."""

    type: Literal["posterize"] = "posterize"
    levels: int = Field(
        4, ge=2, le=256, strict=True, description="Values of each channel; 2 makes eight colors."
    )
    dither: Literal["none", "ordered"] = Field(
        "none", description="ordered: mix neighboring levels in a fixed 8 x 8 pattern."
    )
    gray: bool = Field(default=False, strict=True, description="Without color: 2 levels are black and white.")


class Posterize(Filter[PosterizeConfig]):
    """Rounds each channel to a few levels, in what is saved too; the gradient passes straight through."""

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """The picture in these levels; alpha stays."""
        import torch

        from pixforge.builtin.dither import ordered
        from pixforge.builtin.luma import luma
        from pixforge.builtin.straight_through import straight_through

        colors, most = images[:, :3], self.config.levels - 1
        if self.config.gray:
            colors = luma(images).expand(-1, 3, -1, -1)
        with torch.no_grad():
            scaled = colors * most
            if self.config.dither == "ordered":
                scaled = scaled + ordered(images.shape[-2], images.shape[-1], images.device)
            rounded = scaled.round().clamp(0, most) / most
        made = straight_through(colors, rounded)
        return recolored(images, made)
