"""Smoothness: neighbors should be alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.contracts import Loss, LossConfig, View

if TYPE_CHECKING:
    import torch


class SmoothnessConfig(LossConfig):
    """Which differences count."""

    type: Literal["smoothness"] = "smoothness"
    clip: float = Field(
        0.5,
        gt=0,
        le=2,
        description="Differences above this count as this much, so that real edges are free to be sharp.",
    )
    form: Literal["linear", "log"] = Field(
        "linear",
        description="linear: the mean length of the gradient; log: of log(1 + it), gentler on detail.",
    )
    blur: float = Field(
        0.0,
        ge=0,
        le=64,
        description="Blur by this many pixels first (standard deviation): fine noise is then free.",
    )
    distance: int = Field(
        1,
        ge=1,
        le=64,
        strict=True,
        description="How many pixels lie between the neighbors that are compared.",
    )


class Smoothness(Loss[SmoothnessConfig]):
    """The mean length of the color gradient between neighboring pixels, in units of the picture's range.

    Multiplied by the longer side over 256, so that a weight means the same at any size.
    """

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 for a flat picture."""
        from pixforge.builtin.blur import gaussian_blur
        from pixforge.builtin.losses.gradient_length import mean_length

        config = self.config
        image = gaussian_blur(view.image, config.blur)
        if config.distance == 1:
            length = mean_length(image, config.clip, log=config.form == "log", mask=view.mask)
        else:
            length = _distant(view, image, config)
        return length * (max(image.shape[-2:]) / 256)


def _distant(view: View, image: torch.Tensor, config: SmoothnessConfig) -> torch.Tensor:
    """`[B]`: the same with neighbors farther away; the difference is that of one pixel, on average."""
    apart = min(config.distance, min(image.shape[-2:]) - 1)
    if apart == 0:
        return image.mean(dim=(1, 2, 3)) * 0
    here = image[:, :, :-apart, :-apart]
    down = (image[:, :, apart:, :-apart] - here) / apart
    right = (image[:, :, :-apart, apart:] - here) / apart
    length = (down.square() + right.square() + 1e-11).sqrt().clamp(max=config.clip)
    length = length.log1p() if config.form == "log" else length
    if view.mask is None:
        return length.mean(dim=(1, 2, 3))
    mask = view.mask
    inside = mask[..., :-apart, :-apart] * mask[..., apart:, :-apart] * mask[..., :-apart, apart:]
    return (length * inside).sum(dim=(1, 2, 3)) / (length.shape[1] * inside.sum()).clamp(min=1e-6)
