"""Edits between two steps: decode, change, encode, while the optimizer keeps its moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from pixforge.contracts import Edit, Generator
from pixforge.engine.attribution import returned
from pixforge.engine.regions import Masks, blend
from pixforge.errors import InputError


class Edits:
    """The edits of a run.

    Args:
        components: in the order of the recipe.
        generator: takes over the changed picture.
        masks: of their regions.

    Raises:
        InputError: the generator cannot start from a picture, and an edit needs it.
    """

    def __init__(self, components: Sequence[Edit[Any]], generator: Generator[Any], masks: Masks) -> None:
        self._components = list(components)
        self._generator, self._masks = generator, masks
        if components and type(generator).encode is Generator.encode:
            word = generator.config.type
            raise InputError(
                f"edits: generator '{word}' cannot take over a changed picture, since it cannot start from one"
            )

    @torch.no_grad()
    def apply(self, step: int, image: torch.Tensor) -> bool:
        """Do all that are due after `step` updates; whether the picture has changed.

        Args:
            step: the number of updates.
            image: the generator's picture after them.
        """
        due = [each for each in self._components if each.due(step)]
        if not due:
            return False
        travelled = self._change_latent(due, step)
        due = [each for each in due if not _is_of_latent(each)]
        if not due:
            return travelled
        if self._moved(due, step):
            return True
        before = image = (self._generator.forward(step) if travelled else image).detach()
        for each in due:
            image = self._changed(each, image, step)
        if image is before:
            return travelled
        self._generator.encode(image)
        return True

    def _change_latent(self, due: Sequence[Edit[Any]], step: int) -> bool:
        changed = [each.change_latent(self._generator, step) for each in due if _is_of_latent(each)]
        return any(changed)

    def _moved(self, due: Sequence[Edit[Any]], step: int) -> bool:
        """Whether the generator moved its latent itself: all edits only move the picture, and it can."""
        if type(self._generator).warp is Generator.warp:
            return False
        warps = [None if each.config.where is not None else each.warp(step) for each in due]
        whole = torch.eye(3)
        for warp in warps:
            if warp is None:
                return False
            whole = whole @ warp.cpu()  # the picture is moved by the first edit first
        return self._generator.warp(whole)

    def _changed(self, each: Edit[Any], image: torch.Tensor, step: int) -> torch.Tensor:
        changed: torch.Tensor = returned(each, "forward", each.forward(image, step), tuple(image.shape))
        region = each.config.where
        if region is None or changed is image:
            return changed
        return blend(changed, image, self._masks.of(region, *image.shape[-2:]))


def _is_of_latent(each: Edit[Any]) -> bool:
    return type(each).change_latent is not Edit.change_latent
