"""How a video moves from one frame to the next: dense optical flow without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from pixforge.builtin.edits.camera.resample import fetched
from pixforge.builtin.opencv import import_cv2

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Frame = npt.NDArray[np.uint8]


def import_opencv() -> Any:
    """Import OpenCV.

    Raises:
        InputError: it is not there.
    """
    return import_cv2("optical flow", ", or write flow: false")


def flow(start: Frame, end: Frame) -> torch.Tensor:
    """`[1, 2, H, W]`: for each pixel of `start` how far to the right and down it is found in `end`, in pixels.

    DIS optical flow (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016) as OpenCV has it.

    Raises:
        InputError: OpenCV is not there.
    """
    cv2 = import_opencv()
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    gray = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (start, end)]
    return torch.from_numpy(finder.calc(*gray, None)).permute(2, 0, 1).unsqueeze(0)


def places(offsets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each pixel comes from, x and y `[1, H, W]` in pixels, when it comes from so far away `[1, 2, H, W]`."""
    height, width = offsets.shape[-2:]
    column = torch.arange(width, device=offsets.device, dtype=offsets.dtype)
    row = torch.arange(height, device=offsets.device, dtype=offsets.dtype)[:, None]
    return offsets[:, 0] + column, offsets[:, 1] + row


def known(back: torch.Tensor, forth: torch.Tensor) -> torch.Tensor:
    """`[1, 1, H, W]`, 1 where a pixel was to be seen in the frame before, 0 where it was hidden or outside.

    There, going back and forth leads to where one began. The bound is that of Sundaram et al., "Dense point trajectories by
    GPU-accelerated large displacement optical flow" (2010): |b + f|^2 < 0.01 (|b|^2 + |f|^2) + 0.5.

    Args:
        back: flow `[1, 2, H, W]` from the new frame to the old one.
        forth: from the old one to the new one.
    """
    x, y = places(back)
    height, width = back.shape[-2:]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    there = torch.nn.functional.grid_sample(forth, grid, padding_mode="border", align_corners=False)
    bound = 0.01 * (back.square() + there.square()).sum(dim=1) + 0.5
    same = (back + there).square().sum(dim=1) < bound
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return (same & inside).to(back).unsqueeze(1)


def carried(
    images: torch.Tensor, old: Frame, new: Frame, *, occlusion: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures `[B, C, H, W]` moved as a video moves from `old` to `new`, and where that is known, `[1, 1, H, W]`."""
    back = flow(new, old)
    seen = torch.ones_like(back[:, :1])
    if occlusion:
        seen = known(back, flow(old, new))
        # The edge of a region is soft, so that no seam is drawn around it.
        seen = torch.nn.functional.avg_pool2d(seen, 3, stride=1, padding=1, count_include_pad=False)
    x, y = (each.to(images) for each in places(back))
    return fetched(images, x, y, "border"), seen.to(images)
