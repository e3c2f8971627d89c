"""Detail: a sharp picture, or with a negative weight, a soft one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pixforge.contracts import Loss, LossConfig, View

if TYPE_CHECKING:
    import torch


class DetailConfig(LossConfig):
    """How fine."""

    type: Literal["detail"] = "detail"
    radius: float = Field(
        1.5,
        ge=0.3,
        le=64,
        description="Standard deviation in pixels of the blur: what it takes away is detail.",
    )
    most: float = Field(
        0.25, gt=0, le=1, description="Differences above this gain nothing more, so that no pixel flickers."
    )


class Detail(Loss[DetailConfig]):
    """The negative mean difference between the picture and its blurred copy (as aphantasia's --sharp rewards edges)."""

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 for a flat picture, down to -`most`."""
        from pixforge.builtin.blur import gaussian_blur

        away = view.image - gaussian_blur(view.image, self.config.radius)
        return -view.mean((away.square() + 1e-6).sqrt().clamp(max=self.config.most) - 1e-3)
