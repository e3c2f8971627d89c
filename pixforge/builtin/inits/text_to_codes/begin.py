"""The upper part of a given picture, which a transformer over image codes continues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Painter


@dataclass(frozen=True)
class Begun:
    """A picture `[1, 3, H, W]` in [0, 1], of whose `rows` of codes the first `kept` are given."""

    picture: torch.Tensor
    kept: int
    rows: int

    def codes(self, model: Painter) -> torch.Tensor:
        """The given codes in reading order, `[k]`."""
        return model.codes_of(self.picture)[0, : self.kept].flatten()

    def over(self, pictures: torch.Tensor) -> torch.Tensor:
        """Put the given part over drawn pictures `[n, 3, h, w]`: codes know it only coarsely.

        In its last half row of codes it fades into what was drawn, since the two differ a little in color.
        """
        import torch

        from pixforge.media.images import cover

        height, width = pictures.shape[-2:]
        row = height / self.rows
        above = self.kept * row - torch.arange(height, device=pictures.device) - 0.5
        share = (above / (row / 2)).clamp(0, 1).view(-1, 1)
        return torch.lerp(pictures, cover(self.picture, (width, height)).to(pictures), share.to(pictures))
