"""Who made a gradient that is not finite: sought only after it was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pixforge.engine.attribution import who
from pixforge.engine.step import make_view, seen

if TYPE_CHECKING:
    from pixforge.engine.session import Session


@torch.enable_grad()
def not_finite(session: Session, image: torch.Tensor, step: int) -> str | None:
    """Who makes a gradient that is not finite from a picture `[B, C, H, W]` of a step: a sentence, or None."""
    with torch.no_grad():
        looked = seen(session, image, step)
    for name, loss in session.losses.items():
        if loss.sees_features:
            continue
        leaf = looked.detach().clone().requires_grad_()
        value = loss.forward(make_view(session, name, leaf, step))
        if value.requires_grad and leaf.isfinite().all():
            (gradient,) = torch.autograd.grad(value.sum(), leaf, allow_unused=True)
            if gradient is not None and not bool(gradient.isfinite().all()):
                return f"{who(loss)}: the gradient of '{name}' is not finite; mind roots, divisions and logs at 0"
    for index, each in enumerate(session.filters):
        if not each.seen:
            continue
        leaf = image.detach().clone().requires_grad_()
        changed = each.forward(leaf, session.context.draws.at(f"filter/{index}", step), step)
        if changed.requires_grad:
            (gradient,) = torch.autograd.grad(changed.sum(), leaf)
            if not bool(gradient.isfinite().all()):
                return f"{who(each)}: its gradient is not finite; mind roots, divisions and logs at 0"
    return None
