"""The loop over the steps of a run, and the report of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from pixforge.contracts import StepReport
from pixforge.contracts.report import HostCopy
from pixforge.engine.attribution import attributed, check_range, returned, who
from pixforge.engine.chunks import explained
from pixforge.engine.deterministic import only_deterministic
from pixforge.engine.finishing import finishing
from pixforge.engine.nonfinite import not_finite
from pixforge.engine.state import State, capture, restore
from pixforge.engine.step import Advance, advance, picture, shown
from pixforge.engine.updates import make_update
from pixforge.errors import NotFiniteError

if TYPE_CHECKING:
    from pixforge.engine.session import Session


PICTURE = "the picture"


def first_report(session: Session) -> StepReport:
    """The picture before the first update."""
    with attributed("in the first picture"), torch.no_grad(), explained("in the first picture"):
        image = picture(session, _first_picture(session, 0), 0)
    return StepReport(0, session.context.steps, image, 0.0, finish=finishing(session, 0))


def _first_picture(session: Session, step: int) -> torch.Tensor:
    """What the generator makes, when it is a picture."""
    generator, context = session.generator, session.context
    image = generator.forward(step)
    returned(generator, "forward", image, (context.batch, None, context.height, context.width))
    if session.first_time("generator"):
        check_range(generator, "forward", image)
    return image


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
        self._update = make_update(session, factor)
        if begin is not None:
            restore(session, self._update, begin)
        self._step = begin.step if begin is not None else 0
        self._late = session.context.device.type == "cuda"
        self._waiting: StepReport | None = None
        self._image: torch.Tensor | None = None
        self._before: deque[tuple[int, torch.Tensor]] = deque(maxlen=3)
        self._catching_up = False
        self._within_step = False

    def __iter__(self) -> Optimization:
        return self

    def __next__(self) -> StepReport:
        if self._waiting is None and self._step < self._session.context.steps:
            self._waiting = self._make()
        if self._waiting is None:
            raise StopIteration
        report, self._waiting = self._waiting, None
        if self._late and not self._catching_up and self._step < self._session.context.steps:
            self._waiting = self._make()
        self._catching_up = False
        return self._checked(report)

    def catch_up(self) -> None:
        """Let the next report be that of the last update, so that `state` fits it; on a GPU it costs a short wait."""
        self._catching_up = True

    @property
    def caught_up(self) -> bool:
        """Whether the last report that was handed out is that of the last update, and no step was broken off."""
        return self._waiting is None and not self._within_step

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self._session.context.steps

    def state(self) -> State:
        """All that the next step depends on, after the report that was handed out last."""
        assert self.caught_up
        return capture(self._session, self._update, self._step)

    def current(self) -> torch.Tensor:
        """The picture of the present step, made again from the state: `[B, C, H, W]` in [0, 1]."""
        with torch.no_grad():
            return shown(self._session, self._session.generator.forward(self._step), self._step)

    def finish(self) -> Callable[[torch.Tensor], torch.Tensor] | None:
        """What the filters that run on written pictures alone do to it."""
        return finishing(self._session, self._step)

    def _make(self) -> StepReport:
        session, step = self._session, self._step
        self._within_step = True
        deterministic = session.recipe.deterministic
        if self._image is None:
            where = "in the first picture"
            with attributed(where), only_deterministic(deterministic, where), explained(where):
                self._image = _first_picture(session, step)
        self._before.append((step, self._image.detach()))
        where = f"in step {step + 1}"
        with attributed(where), only_deterministic(deterministic, where), explained(where):
            done = advance(session, self._update, self._image, step)
            self._image = done.image
            report = _report(session, done, step)
        self._step += 1
        self._within_step = False
        return report

    def _checked(self, report: StepReport) -> StepReport:
        """The report without its last row.

        Raises:
            NotFiniteError: a term, or the picture, is not finite; names it, the step and the canvas.
        """
        try:
            return _checked(report)
        except NotFiniteError as error:
            loss = self._session.losses.get(error.term)
            text = str(error)
            if loss is not None:
                text = text.replace(";", f" ({who(loss)});", 1)
            elif error.term == PICTURE and (found := self._maker(error.step - 1)) is not None:
                text = f"step {error.step}: {found}"
            raise NotFiniteError(text, error.step, error.term, error.canvas) from None

    def _maker(self, step: int) -> str | None:
        """Who made the gradient of a step that is not finite; sought only after it was, and costs what a step does."""
        image = dict(self._before).get(step)
        return None if image is None else not_finite(self._session, image, step)


def _report(session: Session, done: Advance, step: int) -> StepReport:
    with torch.no_grad():
        saved = shown(session, done.image, step + 1)
        # The last row says whether the picture is finite; it travels with the terms, so it costs no wait of its own.
        finite = saved.flatten(1).sum(dim=1) * 0  # nan if a pixel is not; to ask each one takes longer
        values = HostCopy(torch.stack([*done.terms.values(), finite]))
        finish = finishing(session, step + 1)
    names = (*done.terms, PICTURE)
    largest = session.generator.largest_from
    return StepReport(step + 1, session.context.steps, saved, done.rate, names, values, finish, largest)


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
