"""One step: edit, generate, filter, cut, perceive, losses, backward, update, constrain.

The backward pass is cut at two places. Perceptors put their gradient on the cutouts, cutouts and losses put theirs on
the picture, and one pass takes the sum through the generator. The gradient is the same as that of one graph, while
no more than one chunk of one perceptor's activations is held at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from pixforge.contracts import Filter, LossConfig, View
from pixforge.contracts.alpha import COLORS, MIDDLE, has_alpha, over
from pixforge.contracts.gradients import root_of
from pixforge.engine.attribution import check_range, in_range, mistake, returned
from pixforge.engine.regions import blend, only_inside
from pixforge.errors import InputError

if TYPE_CHECKING:
    from pixforge.engine.session import Session
    from pixforge.engine.updates import Update


@dataclass(frozen=True)
class Advance:
    """What a step gave: every term and `total`, each `[B]`; the learning rate; and the generator's next picture."""

    terms: dict[str, torch.Tensor]
    rate: float
    image: torch.Tensor


def advance(session: Session, update: Update, image: torch.Tensor, step: int) -> Advance:
    """Take the step after `step` updates, whose picture is `image`, with its graph.

    Edits come first: what is saved, a frame of a film for one, is always a picture that its own steps have made.
    """
    session.masks.turn_to(step)
    if step and session.edits.apply(step, image):
        image = session.generator.forward(step)
    terms = backward(session, image, step)
    rate = update.step(step)
    with torch.no_grad():
        session.generator.constrain()
    return Advance(terms, rate, session.generator.forward(step + 1))


def shown(session: Session, image: torch.Tensor, step: int) -> torch.Tensor:
    """What is saved of what the generator made at a step."""
    session.masks.turn_to(max(step - 1, 0))
    with torch.no_grad():
        return picture(session, session.generator.shown(image.detach(), step), step)


def picture(session: Session, image: torch.Tensor, step: int) -> torch.Tensor:
    """The generator's picture through the filters that are part of it, with what is kept put back.

    This is what is saved, but for filters that nothing sees (`finishing`).
    """
    for index, each in enumerate(session.filters):
        if each.saved and each.seen:
            image = _filtered(session, index, each, image, step)
    return image if session.keep is None else session.keep.put_back(image)


def seen(session: Session, image: torch.Tensor, step: int) -> torch.Tensor:
    """What perceptors and losses look at: the picture through all filters."""
    image = picture(session, image, step)
    for index, each in enumerate(session.filters):
        if not each.saved:
            image = _filtered(session, index, each, image, step)
    return image


def _filtered(
    session: Session, index: int, each: Filter[Any], image: torch.Tensor, step: int
) -> torch.Tensor:
    changed = each.forward(image, session.context.draws.at(f"filter/{index}", step), step)
    returned(each, "forward", changed, (*image.shape[:2], None, None))
    if session.first_time(f"filter/{index}") and in_range(image):
        check_range(each, "forward", changed)
    region = each.config.where
    if region is None:
        return changed
    if changed.shape != image.shape:
        raise InputError(
            f"filters: {each.config.type} changes the size of the picture, so it cannot have `where`"
        )
    return blend(changed, image, session.masks.of(region, *image.shape[-2:]))


def backward(session: Session, image: torch.Tensor, step: int) -> dict[str, torch.Tensor]:
    """Put the gradient of the total on the latent; return every term and `total`, each `[B]`, detached."""
    looked = seen(session, image, step)
    leaf = looked.detach().requires_grad_()
    if not session.sees_features:
        terms = session.perception.terms(leaf, step)
        weighted = losses(session, leaf, step, terms)
        _backward(weighted)
    else:
        # The losses come first: their gradient on the embeddings goes through the perceptors with that of the prompts.
        found = session.perception.features(leaf, step)
        features = {name: each.requires_grad_() for name, each in found.items()}
        own: dict[str, torch.Tensor] = {}
        weighted = losses(session, leaf, step, own, features)
        _backward(weighted)
        pulls = {name: each.grad for name, each in features.items() if each.grad is not None}
        terms = {**session.perception.terms(leaf, step, pulls), **own}
    terms["total"] = terms["prompt"] + weighted.detach()
    if leaf.grad is not None:
        root_of(looked, leaf.grad).backward()  # type: ignore[no-untyped-call]
    return terms


def losses(
    session: Session,
    leaf: torch.Tensor,
    step: int,
    terms: dict[str, torch.Tensor],
    features: dict[str, torch.Tensor] | None = None,
) -> torch.Tensor:
    """The weighted sum `[B]` of all losses, with gradient; each one's value is added to `terms`."""
    weighted: torch.Tensor | None = None
    for name, loss in session.losses.items():
        view = make_view(session, name, leaf, step, features)
        value = returned(loss, "forward", loss.forward(view), (leaf.shape[0],))
        # A loss that is not at work yet may give zeros without a gradient.
        if session.first_time(f"loss/{name}") and not value.requires_grad and bool(value.any()):
            raise mistake(loss, "forward", "returns values without gradient: keep detach() and rounding out")
        terms[name] = value.detach()
        here = _weighted(value, view, loss.config)
        weighted = here if weighted is None else weighted + here
    return leaf.new_zeros(leaf.shape[0]) if weighted is None else weighted


def _weighted(value: torch.Tensor, view: View, config: LossConfig) -> torch.Tensor:
    """`[B]` with gradient, but for canvases on which the loss has reached its stop."""
    weight = view.value(config.weight)
    if config.stop is not None:
        signed = value if weight >= 0 else -value
        value = torch.where(signed < view.value(config.stop), value.detach(), value)
    return value * weight


def make_view(
    session: Session,
    name: str,
    leaf: torch.Tensor,
    step: int,
    features: dict[str, torch.Tensor] | None = None,
) -> View:
    """What a loss of this name looks at."""
    region = session.losses[name].config.where
    mask = None if region is None else session.masks.of(region, *leaf.shape[-2:])
    image = leaf if mask is None else only_inside(leaf, mask)
    alpha = image[:, COLORS:] if has_alpha(image) else None
    image = over(image, MIDDLE)
    return View(image, session.generator, session.context, step, name, mask, features, alpha)


def _backward(weighted: torch.Tensor) -> None:
    if weighted.requires_grad:
        weighted.sum().backward()  # type: ignore[no-untyped-call]
