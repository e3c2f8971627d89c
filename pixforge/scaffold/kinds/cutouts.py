"""A cutout strategy for pixforge: squares of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import pixforge

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Stream


class PlaceholderConfig(pixforge.Config):
    """What a recipe may say: `{type: placeholder, number: 24, share: 0.4}`."""

    type: Literal["placeholder"] = "placeholder"
    number: int = Field(32, ge=1, le=4096, strict=True, description="Cutouts of each canvas in each step.")
    share: float = Field(0.6, gt=0, le=1, description="Their side, as a share of the picture's shorter side.")


class Placeholder(pixforge.Cutouts[PlaceholderConfig]):
    """Squares of one size at random places, all inside the picture."""

    @property
    def count(self) -> int:
        """K."""
        return self.config.number

    def boxes(self, draws: Stream, size: tuple[int, int], step: int) -> torch.Tensor:  # noqa: ARG002
        """`[B, K, 3, 3]`: from a cutout's [-1, 1] x [-1, 1] to the picture's; scale on the diagonal, then the center."""
        import torch

        short = min(size) * self.config.share
        scale = torch.tensor([short / size[0], short / size[1]])
        center = draws.uniform(-1, 1, self.count, 2) * (1 - scale)
        boxes = torch.diag_embed(torch.cat([scale, torch.ones(1)])).repeat(len(center), self.count, 1, 1)
        boxes[..., :2, 2] = center
        return boxes


@pixforge.hookimpl
def pixforge_cutouts() -> list[type[pixforge.Cutouts[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
