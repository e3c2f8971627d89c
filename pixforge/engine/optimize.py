"""The loop: generate, filter, cut, perceive, losses, backward, step, constrain.

The backward pass is cut at two places. Perceptors put their gradient on the cutouts, cutouts and losses put theirs on
the picture, and one pass takes the sum through the generator. The gradient is the same as that of one graph, while
no more than one chunk of one perceptor's activations is held at a time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from pixforge.contracts import StepReport, View
from pixforge.contracts.step import HostCopy
from pixforge.engine.chunks import explained
from pixforge.engine.exact import exact
from pixforge.engine.optimizers import Descent
from pixforge.engine.state import State, capture, restore
from pixforge.errors import NotFiniteError

if TYPE_CHECKING:
    from pixforge.engine.session import Session


PICTURE = "the picture"


def start(session: Session) -> StepReport:
    """The picture before the first update."""
    with torch.no_grad(), explained("in the first picture"):
        image = picture(session, session.generator.forward(0), 0)
    return StepReport(0, session.scene.steps, image, 0.0)


class Optimization:
    """An iterator over the reports of a run: number k shows the picture after k updates and the losses that led to it.

    On a GPU a report is checked and handed out one step late, so that the host never waits for the step in progress.

    Args:
        session: what to run.
        begin: the state to go on from; the start when there is none.
        factor: multiplies the learning rate.

    Raises:
        InputError: the state is not one of this recipe.
    """

    def __init__(self, session: Session, begin: State | None = None, factor: float = 1.0) -> None:
        self._session = session
        groups = session.generator.parameter_groups()
        self._descent = Descent(session.recipe.optimizer, groups, session.scene, factor)
        if begin is not None:
            restore(session, self._descent, begin)
        self._step = begin.step if begin is not None else 0
        self._late = session.scene.device.type == "cuda"
        self._waiting: StepReport | None = None
        self._image: torch.Tensor | None = None
        self._settling = False
        self._within_step = False

    def __iter__(self) -> Optimization:
        return self

    def __next__(self) -> StepReport:
        if self._waiting is None and self._step < self._session.scene.steps:
            self._waiting = self._make()
        if self._waiting is None:
            raise StopIteration
        report, self._waiting = self._waiting, None
        if self._late and not self._settling and self._step < self._session.scene.steps:
            self._waiting = self._make()
        self._settling = False
        return _checked(report)

    def settle(self) -> None:
        """Let the next report be that of the last update, so that `state` fits it; on a GPU it costs a short wait."""
        self._settling = True

    @property
    def settled(self) -> bool:
        """Whether the last report that was handed out is that of the last update, and no step was broken off."""
        return self._waiting is None and not self._within_step

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self._session.scene.steps

    def state(self) -> State:
        """All that the next step depends on, after the report that was handed out last."""
        assert self.settled
        return capture(self._session, self._descent, self._step)

    def current(self) -> torch.Tensor:
        """What is saved at the present step, made again from the state: `[B, 3, H, W]` in [0, 1]."""
        with torch.no_grad():
            return shown(self._session, self._session.generator.forward(self._step), self._step)

    def _make(self) -> StepReport:
        session, step = self._session, self._step
        self._within_step = True
        deterministic = session.recipe.deterministic
        if self._image is None:
            with exact(deterministic, "in the first picture"), explained("in the first picture"):
                self._image = session.generator.forward(step)
        with exact(deterministic, f"in step {step + 1}"), explained(f"in step {step + 1}"):
            values = backward(session, self._image, step)
            rate = self._descent.step(step)
            with torch.no_grad():
                session.generator.constrain()
            self._image = session.generator.forward(step + 1)
            report = _report(session, self._image, step, values, rate)
        self._step += 1
        self._within_step = False
        return report


def shown(session: Session, image: torch.Tensor, step: int) -> torch.Tensor:
    """What is saved of what the generator made at a step."""
    with torch.no_grad():
        return picture(session, session.generator.shown(image.detach(), step), step)


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
        saved = shown(session, image, step + 1)
        # The last row says whether the picture is finite; it travels with the terms, so it costs no wait of its own.
        largest = saved.abs().flatten(1).amax(dim=1)  # nan if there is one; to ask each pixel takes longer
        finite = torch.where(largest.isfinite(), 0.0, torch.nan)
        values = HostCopy(torch.stack([*terms.values(), finite]))
    return StepReport(step + 1, session.scene.steps, saved, rate, (*terms, PICTURE), values)


def _checked(report: StepReport) -> StepReport:
    """The report without its last row.

    Raises:
        NotFiniteError: a term, or the picture, is not finite; names it, the step and the canvas.
    """
    assert report.values is not None
    values = report.values.get()
    if not bool(values.isfinite().all()):
        row, canvas = (~values.isfinite()).nonzero()[0].tolist()
        raise NotFiniteError(
            f"step {report.step}: {report.names[row]} of canvas {canvas} is not a finite number; a smaller "
            "optimizer.learning_rate or loss weight, precision: fp32, or recovery: {tries: 3} may help",
            report.step,
            report.names[row],
            canvas,
        )
    return replace(report, names=report.names[:-1], values=HostCopy(values[:-1]))
