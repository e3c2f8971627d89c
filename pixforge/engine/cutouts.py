"""From a picture to what the perceptors see: place, augment, resample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from pixforge.contracts import Augmentation, Cutouts, Scene
from pixforge.engine.warp import Atlas, compose_colors, pyramid_levels, transform_colors


@dataclass(frozen=True)
class Plan:
    """Where the cutouts of one step lie and how they are colored, the same for every input size."""

    step: int
    purpose: str
    warps: torch.Tensor
    colors: torch.Tensor | None


class Cutter:
    """The cutout strategy and the augmentations of a run.

    Args:
        cutouts: says where.
        augmentations: in the order of the recipe.
        scene: gives the random draws; each component has a purpose of its own.
    """

    def __init__(self, cutouts: Cutouts[Any], augmentations: list[Augmentation[Any]], scene: Scene) -> None:
        self._cutouts = cutouts
        self._augmentations = augmentations
        self._scene = scene

    @property
    def count(self) -> int:
        """K, for each canvas."""
        return self._cutouts.count

    def plan(self, size: tuple[int, int], step: int, purpose: str = "cutouts") -> Plan:
        """Draw the geometry and the colors of one step for a picture of (width, height)."""
        count = self._cutouts.count
        warps = self._cutouts.boxes(self._scene.draws.at(purpose, step), size, step)
        colors: torch.Tensor | None = None
        for index, augmentation in enumerate(self._augmentations):
            stream = self._scene.draws.at(f"{purpose}/{index}/warp", step)
            warp = augmentation.warp(stream, count, step)
            warps = warps if warp is None else warps @ warp
            color = augmentation.color(self._scene.draws.at(f"{purpose}/{index}/color", step), count, step)
            if color is not None:
                colors = color if colors is None else compose_colors(colors, color)
        return Plan(step, purpose, warps, colors)

    def cut(self, images: torch.Tensor, plan: Plan, input_size: int) -> torch.Tensor:
        """The cutouts `[B, K, 3, S, S]` of `[B, 3, H, W]`, differentiable."""
        size = (images.shape[-1], images.shape[-2])
        atlas = Atlas(images, pyramid_levels(size, input_size))
        cutouts = atlas.sample(plan.warps, input_size, self._cutouts.padding)
        if plan.colors is not None:
            cutouts = transform_colors(cutouts, plan.colors)
        for index, augmentation in enumerate(self._augmentations):
            stream = self._scene.draws.at(f"{plan.purpose}/{index}/apply/{input_size}", plan.step)
            cutouts = augmentation.apply(cutouts, stream, plan.step)
        return cutouts
