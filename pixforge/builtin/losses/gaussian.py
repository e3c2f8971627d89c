"""Gaussian: the picture fades to a color away from a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from pixforge.contracts import Generator, Loss, LossConfig, Palette, View

if TYPE_CHECKING:
    import torch

Share = Annotated[float, Field(ge=0, le=1)]


class GaussianConfig(LossConfig):
    """Where, how wide, and which color."""

    type: Literal["gaussian"] = "gaussian"
    color: Palette = Field(
        Palette.model_construct(colors=("white",)), description="The color outside; of a palette, the first."
    )
    spread: float = Field(
        0.25,
        ge=0.01,
        le=4,
        description="Standard deviation as a share of each side: what is free in the middle.",
    )
    center: tuple[Share, Share] = Field(
        (0.5, 0.5), description="The free point, in shares from the left and the top."
    )


class GaussianLoss(Loss[GaussianConfig]):
    """The squared difference from a color, weighted by 1 minus a Gaussian: nothing at its center, all far away.

    Pixray's file of this loss was never registered there.
    """

    def prepare(self, generator: Generator[Any]) -> None:  # noqa: ARG002 - it looks at the color alone
        """Read the color."""
        self._color = self.config.color.tensor(self.context.folder, self.context.device)[0, :, None, None]

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when the picture has the color wherever the Gaussian is small."""
        import torch

        height, width = view.image.shape[-2:]
        across, down = (
            ((torch.arange(side, device=view.image.device) + 0.5) / side - place) / self.config.spread
            for side, place in zip((width, height), self.config.center, strict=True)
        )
        weight = 1 - (-0.5 * (down.square()[:, None] + across.square()[None, :])).exp()
        return view.mean((view.image - self._color).square() * weight)
