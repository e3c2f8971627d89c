"""The coordinates of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import RunContext


def places(context: RunContext) -> torch.Tensor:
    """`[1, H * W, 2]`: x and y of the center of each pixel; the longer side goes from -1 to 1, y downwards."""
    import torch

    side = max(context.size)
    y, x = torch.meshgrid(
        (torch.arange(context.height, device=context.device) * 2 + 1 - context.height) / side,
        (torch.arange(context.width, device=context.device) * 2 + 1 - context.width) / side,
        indexing="ij",
    )
    return torch.stack([x, y], dim=-1).reshape(1, -1, 2)
