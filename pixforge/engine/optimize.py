"""The loop: generate, filter, cut, perceive, losses, backward, step, constrain.

The backward pass is cut at two places. Perceptors put their gradient on the cutouts, cutouts and losses put theirs on
the picture, and one pass takes the sum through the generator. The gradient is the same as that of one graph, while
no more than one chunk of one perceptor's activations is held at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from pixforge.contracts import StepReport, View
from pixforge.contracts.step import HostCopy
from pixforge.engine.chunks import explained
from pixforge.engine.optimizers import Descent
from pixforge.errors import RunError

if TYPE_CHECKING:
    from pixforge.engine.session import Session


PICTURE = "the picture"


def start(session: Session) -> StepReport:
    """The picture before the first update."""
    with torch.no_grad(), explained("in the first picture"):
        image = picture(session, session.generator.forward(0), 0)
    return StepReport(0, session.scene.steps, image, 0.0)


def optimize(session: Session) -> Iterator[StepReport]:
    """Run all steps; report k shows the picture after k updates and the losses that led to the last of them.

    On a GPU a report is checked and handed out one step late, so that the host never waits for the step in progress.
    """
    descent = Descent(session.recipe.optimizer, session.generator.parameter_groups(), session.scene)
    late = session.scene.device.type == "cuda"
    waiting: StepReport | None = None
    with explained("in the first picture"):
        image = session.generator.forward(0) if session.scene.steps else None
    for step in range(session.scene.steps):
        assert image is not None
        with explained(f"in step {step + 1}"):
            values = backward(session, image, step)
            rate = descent.step(step)
            with torch.no_grad():
                session.generator.constrain()
            image = session.generator.forward(step + 1)
            report = _report(session, image, step, values, rate)
        if waiting is not None:
            yield _checked(waiting)
        waiting = report if late else None
        if not late:
            yield _checked(report)
    if waiting is not None:
        yield _checked(waiting)


def picture(session: Session, image: torch.Tensor, step: int) -> torch.Tensor:
    """What is saved: the generator's picture through the filters that are part of it."""
    for index, each in enumerate(session.filters):
        if each.saved:
            image = each.forward(image, session.scene.draws.at(f"filter/{index}", step), step)
    return image


def seen(session: Session, image: torch.Tensor, step: int) -> torch.Tensor:
    """What perceptors and losses look at: the picture through all filters."""
    image = picture(session, image, step)
    for index, each in enumerate(session.filters):
        if not each.saved:
            image = each.forward(image, session.scene.draws.at(f"filter/{index}", step), step)
    return image


def backward(session: Session, image: torch.Tensor, step: int) -> dict[str, torch.Tensor]:
    """Put the gradient of the total on the latent; return every term and `total`, each `[B]`, detached."""
    looked = seen(session, image, step)
    leaf = looked.detach().requires_grad_()
    terms = session.perception.terms(leaf, step)
    total = terms["prompt"].clone()
    view = View(leaf, session.generator, session.scene, step)
    weighted = torch.zeros_like(total)
    for name, loss in session.losses.items():
        value = loss.forward(view)
        terms[name] = value.detach()
        weighted = weighted + value * view.value(loss.config.weight)
    if weighted.requires_grad:
        weighted.sum().backward()  # type: ignore[no-untyped-call]
    terms["total"] = total + weighted.detach()
    if leaf.grad is not None:
        looked.backward(leaf.grad)  # type: ignore[no-untyped-call]
    return terms


def _report(
    session: Session, image: torch.Tensor, step: int, terms: dict[str, torch.Tensor], rate: float
) -> StepReport:
    with torch.no_grad():
        shown = picture(session, session.generator.shown(image.detach(), step + 1), step + 1)
        # The last row says whether the picture is finite; it travels with the terms, so it costs no wait of its own.
        finite = torch.where(shown.isfinite().flatten(1).all(dim=1), 0.0, torch.nan)
        values = HostCopy(torch.stack([*terms.values(), finite]))
    return StepReport(step + 1, session.scene.steps, shown, rate, (*terms, PICTURE), values)


def _checked(report: StepReport) -> StepReport:
    """The report without its last row.

    Raises:
        RunError: a term, or the picture, is not finite; names it, the step and the canvas.
    """
    assert report.values is not None
    values = report.values.get()
    if not bool(values.isfinite().all()):
        row, canvas = (~values.isfinite()).nonzero()[0].tolist()
        raise RunError(
            f"step {report.step}: {report.names[row]} of canvas {canvas} is not a finite number; "
            "a smaller optimizer.learning_rate or loss weight, or precision: fp32, may help"
        )
    return replace(report, names=report.names[:-1], values=HostCopy(values[:-1]))
