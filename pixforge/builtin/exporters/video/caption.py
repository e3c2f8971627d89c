"""Words below the frames of a video: what is drawn, and how far it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixforge.builtin.curves.during import DuringConfig, DuringCurve
from pixforge.contracts import Moment, Output, Schedule
from pixforge.contracts.film import moment_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Frame = npt.NDArray[np.uint8]

WORDS = ("prompt", "prompts", "step", "steps", "seed", "second", "frame")
_PLACE = re.compile(r"\{([^{}]*)\}")
_LINES = 4


def check_template(text: str) -> str:
    """The text, if all that it has in braces is known.

    Raises:
        ValueError: something is not.
    """
    for word in _PLACE.findall(text):
        if word not in WORDS:
            known = ", ".join(f"{{{each}}}" for each in WORDS)
            raise ValueError(f"a caption knows no {{{word}}} (known: {known})")
    return text


class Captions:
    """Draws a caption below frames of one width, always with the same number of lines.

    Args:
        template: text with `{prompt}` and the other words in braces.
        output: of the run, whose recipe has the prompts and the seed.
    """

    def __init__(self, template: str, output: Output) -> None:
        import yaml

        recipe = yaml.safe_load(output.recipe)
        self._template, self._output = template, output
        self._seed = recipe.get("seed")
        self._prompts = [_prompt(each) for each in recipe.get("prompts") or []]
        self._width = self._lines = 0

    def below(self, frame: Frame, step: int) -> Frame:
        """The frame `[H, W, 3]` with a white bar below that has the caption; height and width stay even."""
        import numpy as np
        from PIL import Image, ImageDraw, ImageFont

        width = frame.shape[1]
        size = max(10, round(width / 22))
        font = ImageFont.load_default(size)

        def fits(text: str) -> bool:
            return bool(font.getlength(text) <= width - size)

        if width != self._width:
            longest = [self._text(self._output.steps, name) for name, _ in self._prompts or [("", 1.0)]]
            self._width = width
            self._lines = max(len(_wrapped(text, fits)) for text in longest)
        line = round(size * 1.3)
        height = self._lines * line + size // 2
        bar = Image.new("RGB", (width, height + height % 2), "white")
        pen = ImageDraw.Draw(bar)
        for number, text in enumerate(_wrapped(self._text(step), fits)[: self._lines]):
            pen.text((size // 2, size // 4 + number * line), text, "black", font)
        return np.concatenate([frame, np.asarray(bar)])

    def _text(self, step: int, prompt: str | None = None) -> str:
        film = self._output.film
        moment = moment_of(film, max(step - 1, 0), self._output.steps)
        frame, second = step, moment.second
        if film is not None:
            frame = max(0, (step - film.first_frame_steps) // film.steps_per_frame)
            second = frame / film.fps
        values = {
            "prompt": self._strongest(moment) if prompt is None else prompt,
            "prompts": ", ".join(name for name, _ in self._prompts),
            "step": f"{step}",
            "steps": f"{self._output.steps}",
            "seed": f"{self._seed}",
            "second": f"{second:.1f}",
            "frame": f"{frame}",
        }
        text = _PLACE.sub(lambda match: values[match[1]], self._template)
        return text.encode("latin-1", "replace").decode("latin-1")  # what the font has

    def _strongest(self, moment: Moment) -> str:
        weights = [_weight(weight, moment) for _, weight in self._prompts]
        return self._prompts[weights.index(max(weights))][0] if weights else ""


def _prompt(prompt: Any) -> tuple[str, Any]:
    """What a prompt of a resolved recipe is called, and its weight as the recipe says it."""
    if not isinstance(prompt, Mapping):
        return str(prompt), 1.0
    name = prompt.get("text") or next(iter(prompt.values()), "")
    return str(name), prompt.get("weight", 1.0)


def _weight(weight: Any, moment: Moment) -> float:
    """The weight at a moment; 1 for curves other than those that scenes become."""
    if isinstance(weight, Mapping) and "during" in weight:
        inside = {**weight, "value": _weight(weight.get("value", 1.0), moment)}
        return DuringCurve(DuringConfig.model_validate(inside), Path()).at(moment)
    try:
        return Schedule(weight).value(moment)
    except ValueError:
        return 1.0


def _wrapped(text: str, fits: Any) -> list[str]:
    """The text in lines that fit, at most four; a word that is too long is cut, and dots end what is too much."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and fits(joined):
            lines[-1] = joined
        elif len(lines) == _LINES:
            lines[-1] = _ended(lines[-1], fits)
            break
        else:
            lines.append(_cut(word, fits))
    return lines or [""]


def _ended(text: str, fits: Any) -> str:
    """As much of the text as leaves room for the dots behind it."""
    while text and not fits(f"{text} ..."):
        text = text[:-1].rstrip()
    return f"{text} ..." if text else _cut("...", fits)


def _cut(text: str, fits: Any) -> str:
    while len(text) > 1 and not fits(text):
        text = text[:-1]
    return text
