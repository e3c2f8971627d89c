"""Frames: the parts of the picture from which the cutouts of prompts with regions are taken."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pixforge.contracts import Placement

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""


def within(placement: Placement, box: Box, size: tuple[int, int]) -> Placement:
    """Cutouts of a picture as large as the box, moved to where the box lies in a picture of `size` (width, height)."""
    (left, top, right, bottom), (width, height) = box, size
    to_picture = torch.tensor(
        [
            [(right - left) / width, 0.0, (left + right) / width - 1],
            [0.0, (bottom - top) / height, (top + bottom) / height - 1],
            [0.0, 0.0, 1.0],
        ]
    )
    return Placement(
        to_picture @ placement.boxes.cpu(),
        placement.padding,
        placement.gray,
        placement.colors,
        placement.pooled,
    )


def interleaved(placements: Sequence[Placement], owners: Sequence[int]) -> Placement:
    """One placement whose cutout number k is number k of the placement `owners[k]`."""
    numbers = list(enumerate(owners))

    def joined(tensors: Sequence[torch.Tensor | None]) -> torch.Tensor | None:
        known = [each.cpu() for each in tensors if each is not None]
        return torch.stack([known[owner][:, k] for k, owner in numbers], dim=1) if known else None

    boxes = joined([each.boxes for each in placements])
    assert boxes is not None  # every placement has them
    modes = [
        [each.padding] * len(numbers) if isinstance(each.padding, str) else list(each.padding)
        for each in placements
    ]
    padding = [modes[owner][k] for k, owner in numbers]
    gray, colors = joined([each.gray for each in placements]), joined([each.colors for each in placements])
    return Placement(
        boxes, padding if len(set(padding)) > 1 else padding[0], gray, colors, placements[0].pooled
    )
