"""From a picture to what the perceptors see: place, augment, resample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pixforge.contracts import Augmentation, Cutouts, Placement, RunContext
from pixforge.contracts.alpha import has_alpha, premultiplied
from pixforge.contracts.random import Stream
from pixforge.engine.attribution import returned
from pixforge.engine.frames import Box, interleaved, within
from pixforge.engine.warp import ImagePyramid, compose_colors, pyramid_levels
from pixforge.errors import InputError

# Pixels of a side at which masks are sampled: how much of a cutout lies inside needs no detail.
SHARE_SIZE = 16


@dataclass(frozen=True)
class CutoutPlan:
    """Where the cutouts of one step lie and how they are colored, the same for every input size; on the host."""

    step: int
    purpose: str
    warps: torch.Tensor
    colors: torch.Tensor | None
    padding: str | Sequence[str]
    gray: torch.Tensor | None
    owners: tuple[int, ...] | None = None
    """With frames: in which of them each of the K cutouts lies."""
    pooled: bool = False


class CutoutSampler:
    """The cutout strategy and the augmentations of a run.

    Args:
        cutouts: says where.
        augmentations: in the order of the recipe.
        context: gives the random draws; each component has a purpose of its own.
    """

    def __init__(
        self, cutouts: Cutouts[Any], augmentations: list[Augmentation[Any]], context: RunContext
    ) -> None:
        self.cutouts = cutouts
        self.augmentations = augmentations
        self._context = context

    @property
    def count(self) -> int:
        """K, for each canvas."""
        return self.cutouts.count

    def plan(
        self,
        size: tuple[int, int],
        step: int,
        input_size: int,
        purpose: str = "cutouts",
        frames: Sequence[Box | None] = (),
    ) -> CutoutPlan:
        """Draw the geometry and the colors of one step for a picture of (width, height).

        `input_size` is the smallest S among the perceptors that will see it. All of it is computed on the host, so that
        every device draws the same, and a GPU need not launch a hundred operations on a few numbers each. With `frames`,
        the cutouts are shared out evenly: each frame gets those that a picture of its size would have, None the whole.
        """
        placed, owners = self._placed(size, step, input_size, purpose, frames)
        warps, colors, gray = (_here(each) for each in (placed.boxes, placed.colors, placed.gray))
        assert warps is not None
        count = warps.shape[1]
        for index, augmentation in enumerate(self.augmentations):
            if _has(augmentation, "warp"):
                warp = _here(augmentation.warp(self._draws(f"{purpose}/{index}/warp", step), count, step))
                if warp is not None:
                    returned(augmentation, "warp", warp, tuple(warps.shape))
                warps = warps if warp is None else warps @ warp
            if _has(augmentation, "color"):
                color = _here(augmentation.color(self._draws(f"{purpose}/{index}/color", step), count, step))
                if color is not None:
                    returned(augmentation, "color", color, (*warps.shape[:2], 3, 4))
                    colors = color if colors is None else compose_colors(colors, color)
        return CutoutPlan(step, purpose, warps, colors, placed.padding, gray, owners, placed.pooled)

    def _placed(
        self, size: tuple[int, int], step: int, input_size: int, purpose: str, frames: Sequence[Box | None]
    ) -> tuple[Placement, tuple[int, ...] | None]:
        if not any(frames):
            return self.cutouts.place(self._draws(purpose, step), size, step, input_size), None
        self.check_frames(frames)
        each = []
        for left, top, right, bottom in (frame or (0, 0, *size) for frame in frames):
            placed = self.cutouts.place(
                self._draws(purpose, step), (right - left, bottom - top), step, input_size
            )
            each.append(within(placed, (left, top, right, bottom), size))
        owners = tuple(index % len(frames) for index in range(self.count))
        return interleaved(each, owners), owners

    def check_frames(self, frames: Sequence[Box | None]) -> None:
        """See that there is a cutout for each frame.

        Raises:
            InputError: there are fewer, so that prompts of some regions would do nothing.
        """
        if self.count < len(frames):
            raise InputError(
                f"cutouts: prompts with `where` need cutouts of {len(frames)} places, and there are only {self.count}; "
                f"count: {len(frames)} or more would work"
            )

    @torch.no_grad()
    def share(self, mask: torch.Tensor, plan: CutoutPlan) -> torch.Tensor:
        """How much of each cutout lies in a mask `[1, 1, H, W]`: `[B, K]` in [0, 1]."""
        batch = plan.warps.shape[0]
        size = (mask.shape[-1], mask.shape[-2])
        pyramid = ImagePyramid(
            mask.expand(batch, -1, -1, -1), pyramid_levels(size, SHARE_SIZE), wrap="wrap" in plan.padding
        )
        outside = plan.warps.new_zeros(plan.warps.shape[:2])
        return pyramid.sample(plan.warps, SHARE_SIZE, plan.padding, outside).mean(dim=(2, 3, 4))

    def _draws(self, purpose: str, step: int) -> Stream:
        return self._context.draws.at(purpose, step, "cpu")

    def cut(self, images: torch.Tensor, plan: CutoutPlan, input_size: int) -> torch.Tensor:
        """The cutouts `[B, K, 3, S, S]` of `[B, C, H, W]`, differentiable.

        Where a picture is transparent, each cutout shows a random gray, so that no color can stand for "nothing".
        """
        size = (images.shape[-1], images.shape[-2])
        background = None
        if has_alpha(images):
            images = premultiplied(images)
            draws = self._draws(f"{plan.purpose}/background", plan.step)
            background = draws.rand(plan.warps.shape[1])
        if plan.pooled:
            images, size = pooled(images, input_size), (input_size, input_size)
        pyramid = ImagePyramid(images, pyramid_levels(size, input_size), wrap="wrap" in plan.padding)
        cutouts = pyramid.sample(plan.warps, input_size, plan.padding, plan.gray, plan.colors, background)
        for index, augmentation in enumerate(self.augmentations):
            if _has(augmentation, "apply"):
                stream = self._context.draws.at(f"{plan.purpose}/{index}/apply/{input_size}", plan.step)
                changed = augmentation.apply(cutouts, stream, plan.step)
                cutouts = returned(augmentation, "apply", changed, tuple(cutouts.shape))
        return cutouts


def pooled(images: torch.Tensor, side: int) -> torch.Tensor:
    """`[B, C, side, side]`: (mean + maximum) / 2 of `[B, C, H, W]` over each place, as VQGAN-CLIP pools."""
    from torch.nn import functional

    both: torch.Tensor = functional.adaptive_avg_pool2d(images, side) + functional.adaptive_max_pool2d(
        images, side
    )
    return both / 2


def _here(tensor: torch.Tensor | None) -> torch.Tensor | None:
    """On the host, where a component that heeds its draws has made it."""
    return None if tensor is None else tensor.cpu()


def _has(augmentation: Augmentation[Any], stage: str) -> bool:
    """Whether it overrides a stage; random generators for the others would be made for nothing."""
    return getattr(type(augmentation), stage) is not getattr(Augmentation, stage)
