"""From a picture to what the perceptors see: place, augment, resample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pixforge.contracts import Augmentation, Cutouts, Scene
from pixforge.contracts.draws import Stream
from pixforge.engine.warp import Atlas, compose_colors, pyramid_levels


@dataclass(frozen=True)
class Plan:
    """Where the cutouts of one step lie and how they are colored, the same for every input size; on the host."""

    step: int
    purpose: str
    warps: torch.Tensor
    colors: torch.Tensor | None
    padding: str | Sequence[str]
    gray: torch.Tensor | None


class Cutter:
    """The cutout strategy and the augmentations of a run.

    Args:
        cutouts: says where.
        augmentations: in the order of the recipe.
        scene: gives the random draws; each component has a purpose of its own.
    """

    def __init__(self, cutouts: Cutouts[Any], augmentations: list[Augmentation[Any]], scene: Scene) -> None:
        self.cutouts = cutouts
        self.augmentations = augmentations
        self._scene = scene

    @property
    def count(self) -> int:
        """K, for each canvas."""
        return self.cutouts.count

    def plan(self, size: tuple[int, int], step: int, input_size: int, purpose: str = "cutouts") -> Plan:
        """Draw the geometry and the colors of one step for a picture of (width, height).

        `input_size` is the smallest S among the perceptors that will see it. All of it is computed on the host, so that
        every device draws the same, and a GPU need not launch a hundred operations on a few numbers each.
        """
        placed = self.cutouts.place(self._draws(purpose, step), size, step, input_size)
        warps, colors, gray = (_here(each) for each in (placed.boxes, placed.colors, placed.gray))
        assert warps is not None
        count = warps.shape[1]
        for index, augmentation in enumerate(self.augmentations):
            if _has(augmentation, "warp"):
                warp = _here(augmentation.warp(self._draws(f"{purpose}/{index}/warp", step), count, step))
                warps = warps if warp is None else warps @ warp
            if _has(augmentation, "color"):
                color = _here(augmentation.color(self._draws(f"{purpose}/{index}/color", step), count, step))
                if color is not None:
                    colors = color if colors is None else compose_colors(colors, color)
        return Plan(step, purpose, warps, colors, placed.padding, gray)

    def _draws(self, purpose: str, step: int) -> Stream:
        return self._scene.draws.at(purpose, step, "cpu")

    def cut(self, images: torch.Tensor, plan: Plan, input_size: int) -> torch.Tensor:
        """The cutouts `[B, K, 3, S, S]` of `[B, 3, H, W]`, differentiable."""
        size = (images.shape[-1], images.shape[-2])
        atlas = Atlas(images, pyramid_levels(size, input_size), wrap="wrap" in plan.padding)
        cutouts = atlas.sample(plan.warps, input_size, plan.padding, plan.gray, plan.colors)
        for index, augmentation in enumerate(self.augmentations):
            if _has(augmentation, "apply"):
                stream = self._scene.draws.at(f"{plan.purpose}/{index}/apply/{input_size}", plan.step)
                cutouts = augmentation.apply(cutouts, stream, plan.step)
        return cutouts


def _here(tensor: torch.Tensor | None) -> torch.Tensor | None:
    """On the host, where a component that heeds its draws has made it."""
    return None if tensor is None else tensor.cpu()


def _has(augmentation: Augmentation[Any], stage: str) -> bool:
    """Whether it overrides a stage; random generators for the others would be made for nothing."""
    return getattr(type(augmentation), stage) is not getattr(Augmentation, stage)
