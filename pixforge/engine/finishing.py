"""Filters that run on written pictures alone, such as a network that enlarges them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

from pixforge.engine.attribution import attributed, check_range, returned

if TYPE_CHECKING:
    from pixforge.engine.session import Session


def finishing(session: Session, step: int) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """What they do to the picture of a step; None if there are none."""
    if all(each.seen for each in session.filters if each.saved):
        return None
    # Taken now: when the picture is written, the masks may have turned to another step.
    mask = None if session.keep is None else session.keep.mask(session.context.height, session.context.width)
    return partial(_finished, session, step, mask)


@torch.no_grad()
def _finished(session: Session, step: int, mask: torch.Tensor | None, image: torch.Tensor) -> torch.Tensor:
    with attributed("in a picture that is written"):
        for index, each in enumerate(session.filters):
            if each.saved and not each.seen:
                changed = each.forward(image, session.context.draws.at(f"filter/{index}", step), step)
                image = returned(each, "forward", changed, (*image.shape[:2], None, None))
                check_range(each, "forward", image)
    if session.keep is None or mask is None:
        return image
    return session.keep.put_back(image, F.interpolate(mask, image.shape[-2:], mode="bilinear"))
