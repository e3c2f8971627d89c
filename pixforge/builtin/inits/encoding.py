"""Let a generator show a picture, and say how near it comes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pixforge.contracts import Generator

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)


def encode(generator: Generator[Any], image: torch.Tensor) -> None:
    """Encode `[B, C, H, W]`; for generators that only come near a picture, the log says how near."""
    generator.encode(image)
    if generator.approximates:
        off = (generator.forward(0)[:, :3] - image[:, :3]).square().mean().sqrt()
        log.warning(
            "%s comes near the start picture, it cannot show it: colors are off by %.0f of 255 (root mean square)",
            generator.config.type,
            255 * float(off),
        )
