"""Wallpaper: the picture is judged as a tile among its copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Filter, FilterConfig
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class WallpaperConfig(FilterConfig):
    """How copies lie beside each other."""

    type: Literal["wallpaper"] = "wallpaper"
    form: Literal["default", "shift", "horizontal", "vertical"] = Field(
        "default",
        description="default: copies in rows and columns; shift: each column half a tile lower than the one before; "
        "horizontal, vertical: copies beside, or below each other, alone.",
    )


class Wallpaper(Filter[WallpaperConfig]):
    """Shows perceptors and losses a window of the tiled wall, at a random place (Pixray's wallpaper).

    The window has the size of the picture. What is saved is the tile in its place. `roll` is the form default at less
    work; with `rim` the seams of any form are closed for sure.
    """

    saved: ClassVar[bool] = False
    moves: ClassVar[bool] = True

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """`[B, C, H, W]`; the shift of each canvas stays on the device."""
        import torch

        batch, _, height, width = images.shape
        form = self.config.form
        down, right = draws.rand(2).unbind(dim=1)
        down, right = (down * height).long(), (right * width).long()
        down = down * 0 if form == "horizontal" else down
        right = right * 0 if form == "vertical" else right
        # Two tiles to the right a shifted column is back at its height, which the window never reaches.
        x = torch.arange(width, device=images.device) + right[:, None]
        y = (torch.arange(height, device=images.device) + down[:, None])[:, :, None].expand(
            batch, height, width
        )
        if form == "shift":
            y = y + (x // width * (height // 2))[:, None, :]
        x = (x % width)[:, None, :].expand(batch, height, width)
        flat = (y % height * width + x).flatten(1)[:, None].expand(-1, images.shape[1], -1)
        return images.flatten(2).gather(2, flat).view_as(images)


class RimConfig(FilterConfig):
    """How wide, and which sides."""

    type: Literal["rim"] = "rim"
    width: float = Field(
        0.1, gt=0, le=0.5, description="Width of the rim that is blended, as a share of each side."
    )
    form: Literal["default", "shift", "horizontal", "vertical"] = Field(
        "default", description="Which sides match, as of `wallpaper`."
    )


class Rim(Filter[RimConfig]):
    """Makes opposite rims match in what is saved too, so that the tile has no seam (Pixray's edge match).

    Near a side, each pixel is blended with the mean of the two sides that will lie beside each other, and on the side
    it is that mean. So neighbors across the seam are equal.
    """

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """Blend top with bottom, then left with right, which leaves the former equal; alpha too."""
        form = self.config.form
        if form != "horizontal":
            images = _matched(images.transpose(-1, -2), self.config.width, 0).transpose(-1, -2)
        if form == "vertical":
            return images
        return _matched(images, self.config.width, images.shape[-2] // 2 if form == "shift" else 0)


def _matched(images: torch.Tensor, share: float, lower: int) -> torch.Tensor:
    """Left and right rims blended to their common mean; the right neighbor lies `lower` rows further down."""
    import torch

    width = images.shape[-1]
    rim = max(1, min(round(share * width), width // 2))
    if width < 2:
        return images
    # Row r at the right side meets row r + lower of the left side.
    mean = (images[..., -1:] + images[..., :1].roll(-lower, dims=-2)) / 2
    fade = torch.linspace(1, 0, rim + 1, device=images.device)[:rim]
    left = images[..., :rim] + (mean.roll(lower, dims=-2) - images[..., :1]) * fade
    right = images[..., width - rim :] + (mean - images[..., -1:]) * fade.flip(0)
    return torch.cat([left, images[..., rim : width - rim], right], dim=-1).clamp(0, 1)
