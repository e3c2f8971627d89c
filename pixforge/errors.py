"""Every error that pixforge raises on purpose: one clear line for the person who wrote the recipe."""

from __future__ import annotations

import re
from typing import NamedTuple

# Control characters but the newline, those that turn the direction of writing, and lone surrogates.
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PLACE = re.compile(r"[^\n]*?:([0-9]{1,9}): (.*)", re.DOTALL)
"""`recipe.yaml:12: ...`, as the first thing on a line."""


def plain_text(text: str) -> str:
    """A message without what a terminal would obey: files of strangers put their words into it."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def plain_name(name: object) -> str:
    """A file's name on one line, without what a terminal would obey."""
    return plain_text(str(name)).replace("\n", "\\n")


def short_text(text: str, longest: int = 60) -> str:
    """A stranger's text on one short line, without what a terminal would obey."""
    line = plain_name(text[: longest + 1])
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def error_line(error: Exception) -> str:
    """What an error of a library says, on one line; its type when it says nothing."""
    return short_text(" ".join(str(error).split()) or type(error).__name__, 160)


class Problem(NamedTuple):
    """One line of an error's message: `line` counts from 1 and is None where the message names none."""

    line: int | None
    message: str

    @classmethod
    def of(cls, text: str) -> Problem:
        """Take `recipe.yaml:12: losses: ...` apart."""
        found = _PLACE.match(text)
        return cls(int(found[1]), found[2]) if found else cls(None, text)


class PixforgeError(Exception):
    """Base of all deliberate errors; `exit_status` is what the command line ends with."""

    exit_status = 1

    def __str__(self) -> str:
        return plain_text(super().__str__())

    @property
    def problems(self) -> list[Problem]:
        """Each line of the message by itself, with the line of the recipe that it is about."""
        return [Problem.of(line) for line in str(self).splitlines()]


class ChangeWarning(FutureWarning):
    """Something that still works was renamed or is going away; says what to write instead."""


class InputError(PixforgeError):
    """Something that was handed in is at fault; nothing was run."""

    exit_status = 2


class RecipeError(InputError):
    """A recipe cannot be read or does not validate; the message has one located line for each problem."""


class PluginError(InputError):
    """A plugin cannot be loaded, or one of its hooks failed; names the plugin, its version and the hook."""


class WeightsError(InputError):
    """Weights are absent, damaged, or of another architecture; says what to fetch and how."""


class ImageError(InputError):
    """A picture cannot be read, or is larger than the limit.

    With `passing`, it may be read later although the file stays as it is: it must not be opened now, say.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class OutputError(InputError):
    """The output folder cannot be used."""


class UnsupportedError(InputError):
    """A component was asked for something that it cannot do."""


class RunError(PixforgeError):
    """A run failed after it had started; what was made until then is kept."""


class NotFiniteError(RunError):
    """A term, or the picture, became NaN or infinite; `step`, `term` and `canvas` say where."""

    def __init__(self, message: str, step: int, term: str, canvas: int) -> None:
        super().__init__(message)
        self.step = step
        self.term = term
        self.canvas = canvas
