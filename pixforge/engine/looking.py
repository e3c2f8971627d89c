"""What the perceptors of a run see of a picture, to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pixforge.engine.step import seen
from pixforge.media.images import cover

if TYPE_CHECKING:
    from pathlib import Path

    from pixforge.engine.session import Session


@torch.no_grad()
def cutouts_of(
    session: Session, step: int, image: Path | None = None, *, present: bool = False
) -> dict[int, torch.Tensor]:
    """The cutouts of a step of the first canvas by input size: `[K, 3, S, S]` in [0, 1] each.

    They are those that the step would really use: of the start, of a picture file, or of the `present` picture of a run.

    Raises:
        ImageError: the file is no picture.
    """
    picture = session.generator.forward(step if present else 0)
    if image is not None:
        read = cover(session.context.read_image(image).unsqueeze(0), session.context.size)
        picture = read.expand(session.context.batch, -1, -1, -1)
    session.masks.turn_to(step)
    looked = seen(session, picture, step)
    plan = session.perception.plan(looked, step)
    return {size: session.sampler.cut(looked, plan, size)[0].clamp(0, 1) for size in session.perception.sizes}
