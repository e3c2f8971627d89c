"""A run in a notebook: the picture while it becomes, in the output of the cell whose last line is the run."""

from __future__ import annotations

import base64
import html
import io
import time
from typing import TYPE_CHECKING, Any

from pixforge.errors import PixforgeError
from pixforge.runs.events import Finished, Step
from pixforge.runs.pace import Pace

if TYPE_CHECKING:
    from PIL.Image import Image

    from pixforge.contracts import StepReport
    from pixforge.runs.result import Result
    from pixforge.runs.run import Run

SECONDS = 0.4
"""Between two pictures."""
_SIDE = 512


def show(run: Run) -> dict[str, Any]:
    """Make all steps that are left, and show them; returns what stands behind `Out` then: of a finished run its pictures.

    To interrupt the kernel ends the run after its step, as Ctrl-C does; all is saved.
    """
    if run.result is not None:
        return _bundle(_ended(run.result), run.result.images)
    from IPython.display import display

    handle = display(_bundle("building", []), raw=True, display_id=True)
    watched = _Watched()
    try:
        for event in run:
            if isinstance(event, Step):
                if watched.due(event.report):
                    handle.update(_bundle(watched.words(event.report), _pictures(event.report)), raw=True)
            elif isinstance(event, Finished):
                handle.update(_bundle(_ended(event.result), event.result.images), raw=True)
    except PixforgeError as error:
        handle.update(_bundle(f"failed: {error}", []), raw=True)
        raise
    return {"text/plain": repr(run)}


class _Watched:
    """How far it is, and how fast."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._shown = 0.0

    def due(self, report: StepReport) -> bool:
        """Whether it is time for another picture, after this step."""
        self._pace.see(report)
        now = time.perf_counter()
        if now - self._shown < SECONDS:
            return False
        self._shown = now
        return True

    def words(self, report: StepReport) -> str:
        """A line about a step."""
        parts = [f"step {report.step} of {report.steps}"]
        if self._pace.left is not None:
            parts += [f"{self._pace.rate:.3g} steps/s", f"{self._pace.left:.0f} s left"]
        total = report.losses.get("total")
        return " · ".join([*parts, f"loss {total:.4g}"] if total is not None else parts)


def _pictures(report: StepReport) -> list[Image]:
    from pixforge.media.images import to_pil

    return [to_pil(pixels) for pixels in report.layers]


def _ended(result: Result) -> str:
    score = result.manifest.get("held_out_score")
    told = f" · score {score:.3f}" if isinstance(score, float) else ""
    return f"{'interrupted' if result.interrupted else 'finished'}{told} · {result.folder}"


def _bundle(words: str, pictures: list[Image]) -> dict[str, str]:
    side = max(96, _SIDE // max(len(pictures), 1))
    shown = "".join(
        f'<img alt="" width="{_width(each, side)}" src="{_address(each)}"> ' for each in pictures[:16]
    )
    return {
        "text/plain": f"pixforge: {words}",
        "text/html": f"<div>{shown}<div>{html.escape(words)}</div></div>",
    }


def _width(picture: Image, side: int) -> int:
    """Small pictures are shown larger, so that they can be seen."""
    return round(picture.width * side / max(picture.size))


def _address(picture: Image) -> str:
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE))
    kind = "png" if small.mode == "RGBA" else "jpeg"
    file = io.BytesIO()
    small.save(file, kind)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
