"""Blur and sharpen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Filter, FilterConfig, Range, Schedule
from pixforge.contracts.alpha import recolored
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch

Radius = Annotated[Schedule, Range(ge=0, le=64)]


class BlurConfig(FilterConfig):
    """How much."""

    type: Literal["blur"] = "blur"
    radius: Radius = Field(Schedule(1.0), description="Standard deviation in pixels; 0 changes nothing.")


class Blur(Filter[BlurConfig]):
    """Blurs what perceptors and losses see, so that nothing finer than `radius` is judged; what is saved stays sharp.

    lucent blurs at each step to keep noise down.
    """

    saved: ClassVar[bool] = False

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """A Gaussian blur."""
        from pixforge.builtin.blur import gaussian_blur

        return gaussian_blur(images, self.context.value(self.config.radius, step)).clamp(0, 1)


class SharpenConfig(FilterConfig):
    """How much, and of what."""

    type: Literal["sharpen"] = "sharpen"
    amount: Annotated[Schedule, Range(ge=0, le=10)] = Field(
        Schedule(0.5), description="How much of the detail is added once more."
    )
    radius: Radius = Field(
        Schedule(1.0), description="Standard deviation in pixels of the blur that defines detail."
    )


class Sharpen(Filter[SharpenConfig]):
    """Unsharp masking, in what is saved too: adds the difference between the picture and its blurred copy."""

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """Colors alone are sharpened; alpha stays."""
        from pixforge.builtin.blur import gaussian_blur

        colors = images[:, :3]
        detail = colors - gaussian_blur(colors, self.context.value(self.config.radius, step))
        made = (colors + detail * self.context.value(self.config.amount, step)).clamp(0, 1)
        return recolored(images, made)
