"""Inpainting: a picture of which one part stays as it is, for every generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pixforge.contracts import RunContext
from pixforge.contracts.alpha import has_alpha
from pixforge.engine.regions import Masks, blend
from pixforge.media.images import cover

if TYPE_CHECKING:
    from pixforge.recipe import KeepConfig


class Keep:
    """Puts a picture back into the result where it is kept.

    Args:
        config: the picture and the region.
        context: the run, for reading the picture.
        masks: of the region.
    """

    def __init__(self, config: KeepConfig, context: RunContext, masks: Masks) -> None:
        self._region, self._masks = config.where, masks
        self._context, self._image = context, config.image
        self._fitted: dict[tuple[int, ...], torch.Tensor] = {}
        self.put_back(torch.zeros(1, 3, context.height, context.width, device=context.device))

    def put_back(self, image: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """`[B, C, H, W]` with the picture in the region, to the bit; its transparency is kept in pictures with alpha.

        `mask` is that of the present step if absent.
        """
        shape = tuple(image.shape[1:])
        if shape not in self._fitted:
            picture = self._context.read_image(self._image, alpha=has_alpha(image)).unsqueeze(0)
            self._fitted[shape] = cover(picture, (shape[-1], shape[-2]))
        mask = self.mask(shape[-2], shape[-1]) if mask is None else mask
        return blend(self._fitted[shape].expand_as(image), image, mask)

    def mask(self, height: int, width: int) -> torch.Tensor:
        """`[B or 1, 1, height, width]` of the present step, 1 where the picture is kept."""
        return self._masks.of(self._region, height, width)
