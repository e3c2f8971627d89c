"""Let a network learn a picture, so that a run can start from it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from pixforge.contracts import Generator

log = logging.getLogger(__name__)


def fitted(
    generator: Generator[Any], fresh: Mapping[str, torch.Tensor], image: torch.Tensor, steps: int, rate: float
) -> None:
    """Move the latent, from where it is or from a `fresh` one if that is nearer, until `forward(0)` shows `image` `[B or 1, 3, H, W]` as nearly as it can in some steps of Adam.

    The rate falls along a half cosine. The log says the root mean square of what is left, in 8-bit steps.
    """
    import torch

    with torch.no_grad():
        near = _off(generator, image)
        kept = {name: each.clone() for name, each in generator.latents().items()}
        _take(generator, fresh)
        if near <= _off(generator, image):
            _take(generator, kept)
    latents = [each for group in generator.parameter_groups() for each in group["params"]]
    optimizer = torch.optim.Adam(latents, lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    with torch.enable_grad():
        for _ in range(steps):
            optimizer.zero_grad()
            # The sum over canvases, so that each learns as it would alone.
            (generator.forward(0) - image).square().mean(dim=(1, 2, 3)).sum().backward()
            optimizer.step()
            schedule.step()
    optimizer.zero_grad()
    with torch.no_grad():
        left = _off(generator, image) ** 0.5
    log.warning(
        "%s learned the start in %d steps; it is off by %.1f of 255 on average",
        generator.config.type,
        steps,
        255 * left,
    )


def _off(generator: Generator[Any], image: torch.Tensor) -> float:
    return float((generator.forward(0) - image).square().mean())


def _take(generator: Generator[Any], values: Mapping[str, torch.Tensor]) -> None:
    for name, latent in generator.latents().items():
        latent.copy_(values[name])
