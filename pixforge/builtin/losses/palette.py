"""Palette: only these colors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pixforge.contracts import Generator, Loss, LossConfig, Palette, View

if TYPE_CHECKING:
    import torch


class PaletteConfig(LossConfig):
    """Which colors."""

    type: Literal["palette"] = "palette"
    colors: Palette = Field(
        description="The colors: [red, '#fff2cb'], black->red->yellow\\16, {file: colors.gpl}, {image: photo.png}."
    )


class PaletteLoss(Loss[PaletteConfig]):
    """The mean distance of each pixel from the nearest color of a palette, 0 to sqrt(3) (Pixray's palette loss).

    Pixray multiplies by a tenth of the number of colors, so that its weight changes with the palette.
    """

    def prepare(self, generator: Generator[Any]) -> None:  # noqa: ARG002 - it looks at files alone
        """Read the palette."""
        self._colors = self.config.colors.tensor(self.context.folder, self.context.device)

    def forward(self, view: View) -> torch.Tensor:
        """`[B]`, 0 when every pixel has a color of the palette."""
        from pixforge.builtin.nearest import nearest_colors

        away = view.image - nearest_colors(view.image, self._colors)
        # The root's derivative is infinite at 0; 1e-6 is a quarter of an 8-bit step, squared.
        return view.mean(away.square().sum(dim=1).add(1e-6).sqrt() - 1e-3)
