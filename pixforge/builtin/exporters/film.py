"""The film: every frame once, at its own rate."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.builtin.exporters.video.exporter import Recorder
from pixforge.builtin.exporters.video.formats import STREAMED, Soundtrack
from pixforge.builtin.exporters.video.timeline import MOST_FPS, Streamed
from pixforge.contracts import Output
from pixforge.contracts.context import RunFacts
from pixforge.contracts.paths import FileName, RecipePath
from pixforge.errors import InputError

log = logging.getLogger(__name__)
_HEARD = 0.1
"""Seconds of difference between sound and film that nobody misses."""


class FilmConfig(Streamed):
    """The file that a film becomes."""

    type: Literal["film"] = "film"
    name: FileName = Field("film", description="Of the file, without its extension.")
    sound: RecipePath | None = Field(
        None,
        description="A sound for mp4 and webm. One that is too long fades out with the film; after one that is too short it is silent.",
    )

    @model_validator(mode="after")
    def _can_sound(self) -> Self:
        if self.sound is not None and self.format not in STREAMED:
            raise ValueError(f"{self.format} has no sound; leave it out, or choose mp4 or webm")
        if self.sound is not None and self.order != "forward":
            raise ValueError(f"order: {self.order} has no sound; leave it out, or play the film forward")
        return self


class FilmVideo(Recorder[FilmConfig]):
    """Streams the frames of a film into an MP4, WebM, GIF, APNG or WebP: each once, at the rate that `film.fps` says.

    What holds for `video` holds here, too: it plays while it is written, and goes on after a stop as if there had been
    none. The sound is added when the film, or what there is of it, is finished.
    """

    def __init__(self, config: FilmConfig, output: Output) -> None:
        super().__init__(config, output)
        if config.sound is not None and output.film is not None:
            self._compare(config.sound)

    @classmethod
    def check_run(cls, config: FilmConfig, facts: RunFacts) -> None:
        """See that the recipe makes a film, of no more frames per second than the format has.

        Raises:
            InputError: it does not.
        """
        if facts.film is None:
            raise InputError("there is no film without `film:` or `scenes:` in the recipe")
        most = MOST_FPS.get(config.format)
        if most is not None and facts.film.fps > most:
            raise InputError(
                f"a {config.format} has at most {most:g} frames per second, and the film has {facts.film.fps:g}; "
                "choose mp4 or webm, or a smaller film.fps"
            )

    def _plan(self, start: int) -> None:
        film = self.output.film
        if film is None:
            raise InputError("exporter film: there is no film without `film:` or `scenes:` in the recipe")
        self._rate = film.fps
        ends = [film.end(frame) for frame in range(film.count(self.output.steps))]
        shown = [end for end in ends if end >= start]
        self._skipped, self._planned = len(ends) - len(shown), len(shown)
        self._frames = Counter(shown)
        self._held = 0

    def _sound(self) -> Soundtrack | None:
        if self.config.sound is None:
            return None
        shown = self._planned - self._frames.total()
        path = self.output.inputs / self.config.sound
        return Soundtrack(path, self._skipped / self._rate, shown / self._rate)

    def _compare(self, name: str) -> None:
        """See that the sound can be read, and say it when it does not fit.

        Raises:
            SoundError: it cannot.
        """
        from pixforge.media.sound import seconds_of_sound

        seconds = seconds_of_sound(self.output.inputs / name)
        film = (self._planned + self._skipped) / self._rate
        if seconds > film + _HEARD:
            log.warning(
                "%s has %.1f s, the film %.1f: the last %.1f s are not heard",
                name,
                seconds,
                film,
                seconds - film,
            )
        elif seconds < film - _HEARD:
            log.warning(
                "%s has %.1f s, the film %.1f: the last %.1f s are silent",
                name,
                seconds,
                film,
                film - seconds,
            )
