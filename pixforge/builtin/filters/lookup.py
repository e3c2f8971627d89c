"""Lookup: every pixel gets a color of a palette."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pixforge.contracts import Filter, FilterConfig, Palette, Range, RunContext, Schedule
from pixforge.contracts.alpha import recolored
from pixforge.contracts.random import Stream

if TYPE_CHECKING:
    import torch


class LookupConfig(FilterConfig):
    """Which colors, and how the gradient finds its way."""

    type: Literal["lookup"] = "lookup"
    colors: Palette = Field(description="The colors, as of the loss `palette`.")
    beta: Annotated[Schedule, Range(ge=0, le=100)] = Field(
        Schedule(0.0),
        description="Commitment: how strongly the pixels before the lookup are pulled to the colors that they got, as "
        "Pixray's beta of 10. 0: by the prompts alone.",
    )
    dither: Literal["none", "ordered"] = Field(
        "none", description="ordered: mix the two nearest colors in a fixed 8 x 8 pattern."
    )


class Lookup(Filter[LookupConfig]):
    """Replaces each pixel by the nearest color of a palette, in what is saved too (Pixray's lookup, VQGAN's way).

    The gradient passes straight through, as if nothing were replaced.
    """

    def __init__(self, config: LookupConfig, context: RunContext) -> None:
        super().__init__(config, context)
        self._colors = config.colors.tensor(context.folder, context.device)
        self._apart = _distance_apart(self._colors) if config.dither == "ordered" else None

    def forward(self, images: torch.Tensor, draws: Stream, step: int) -> torch.Tensor:  # noqa: ARG002
        """The picture in these colors; alpha stays."""
        import torch

        from pixforge.builtin.dither import ordered
        from pixforge.builtin.nearest import nearest_colors
        from pixforge.builtin.straight_through import straight_through

        colors = images[:, :3]
        with torch.no_grad():
            asked = colors
            if self._apart is not None:
                asked = colors + ordered(images.shape[-2], images.shape[-1], images.device) * self._apart
            chosen = nearest_colors(asked, self._colors)
        made = straight_through(colors, chosen, self.context.value(self.config.beta, step))
        return recolored(images, made)


def _distance_apart(palette: torch.Tensor) -> torch.Tensor:
    """How far neighbors in a palette are apart in each channel, on average: the strength of the pattern."""
    import torch

    if len(palette) < 2:
        return palette.new_zeros(())
    distances = torch.cdist(palette, palette) + 10 * torch.eye(len(palette), device=palette.device)
    return distances.amin(dim=1).mean() / 3**0.5
