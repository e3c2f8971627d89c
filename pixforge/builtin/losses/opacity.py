"""Opacity: how much of the picture is not transparent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from pixforge.contracts import Loss, LossConfig, Range, Schedule, View

if TYPE_CHECKING:
    import torch


class OpacityConfig(LossConfig):
    """The share that is wanted."""

    type: Literal["opacity"] = "opacity"
    share: Annotated[Schedule, Range(ge=0, le=1)] = Field(
        Schedule(0.5), description="The mean of alpha that is wanted: 0 is transparent, 1 opaque."
    )
    crisp: Annotated[Schedule, Range(ge=0, le=100)] = Field(
        Schedule(0.1), description="How much half-transparent pixels cost beside the share."
    )


class Opacity(Loss[OpacityConfig]):
    """The squared distance of the mean alpha from a share, and the mean of 4 alpha (1 - alpha) times `crisp`.

    It needs a generator with alpha, such as `{type: pixels, alpha: true}`.
    """

    needs_alpha: ClassVar[bool] = True

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when the share is met and every pixel is either transparent or opaque."""
        assert view.alpha is not None  # see `needs_alpha`
        distance = view.mean(view.alpha) - view.value(self.config.share)
        crisp = view.value(self.config.crisp)
        return distance.square() + crisp * view.mean(4 * view.alpha * (1 - view.alpha))
