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
        self._fitted: torch.Tensor | None = None
        self.put_back(torch.zeros(1, 3, context.height, context.width, device=context.device))

    def put_back(self, image: torch.Tensor) -> torch.Tensor:
        """`[B, C, H, W]` with the picture in the region, to the bit; its transparency is kept in pictures with alpha."""
        _, *shape = image.shape
        if self._fitted is None or list(self._fitted.shape[1:]) != shape:
            picture = self._context.read_image(self._image, alpha=has_alpha(image)).unsqueeze(0)
            self._fitted = cover(picture, (shape[-1], shape[-2]))
        kept, (height, width) = self._fitted, image.shape[-2:]
        return blend(kept.expand_as(image), image, self._masks.of(self._region, height, width))
