"""Edge: the margin of the picture has a color."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.contracts import Generator, Loss, LossConfig, Palette, View
from pixforge.contracts.paths import RecipePath

if TYPE_CHECKING:
    import torch

Share = Annotated[float, Field(ge=0, le=0.5)]


class EdgeConfig(LossConfig):
    """Where, and which color."""

    type: Literal["edge"] = "edge"
    color: Palette = Field(
        Palette.model_construct(colors=("white",)),
        description="The color of the margin; of a palette, the first.",
    )
    image: RecipePath | None = Field(
        None, description="Take the colors from this picture instead of `color`."
    )
    width: Share = Field(0.05, description="Width of the margin as a share of each side.")
    margins: tuple[Share, Share, Share, Share] | None = Field(
        None, description="Widths at the left, top, right and bottom, instead of `width`."
    )
    mask: RecipePath | None = Field(
        None, description="A picture that is white where the margin is, instead of `width`."
    )
    everywhere: float = Field(
        0.0, ge=0, le=10, description="How much the whole picture is pulled as well; Pixray uses 0.05."
    )

    @model_validator(mode="after")
    def _has_a_margin(self) -> Self:
        if self.mask is None and not any(self.margins or (self.width,)):
            raise ValueError("a margin of width 0 is none; leave the loss out, or give a width above 0")
        return self


class Edge(Loss[EdgeConfig]):
    """The mean squared difference of a margin from a color, or from a picture (Pixray's edge loss)."""

    def prepare(self, generator: Generator[Any]) -> None:  # noqa: ARG002 - it looks at files alone
        """Read the color and the picture."""
        from pixforge.media.images import cover

        context, config = self.context, self.config
        if config.image is None:
            color = config.color.tensor(context.folder, context.device)[0]
            self._wanted = color[None, :, None, None]
        else:
            self._wanted = cover(context.read_image(config.image).unsqueeze(0), context.size)
        self._margins: dict[tuple[int, int], torch.Tensor] = {}

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when the margin has the color."""
        from pixforge.media.images import cover

        height, width = view.image.shape[-2:]
        wanted = self._wanted
        if wanted.shape[-1] != 1:
            wanted = cover(wanted, (width, height))
        margin = self._margin(height, width)
        error = (view.image - wanted).square()
        inside = margin if view.mask is None else margin * view.mask
        share = inside.mean().clamp(min=1e-6)
        value = (error * inside).mean(dim=(1, 2, 3)) / share
        return value + self.config.everywhere * view.mean(error) if self.config.everywhere else value

    def _margin(self, height: int, width: int) -> torch.Tensor:
        """`[1, 1, H, W]`, 1 in the margin; a filter may have changed the size of the picture."""
        import torch

        if (height, width) not in self._margins:
            if self.config.mask is not None:
                made = self.context.read_mask(self.config.mask, (width, height)).unsqueeze(0)
            else:
                shares = self.config.margins or (self.config.width,) * 4
                left, top, right, bottom = (
                    max(1, round(share * side)) if share else 0
                    for share, side in zip(shares, (width, height, width, height), strict=True)
                )
                made = torch.ones(1, 1, height, width, device=self.context.device)
                made[..., top : height - bottom, left : width - right] = 0
            self._margins[height, width] = made
        return self._margins[height, width]
