"""The film: every frame once, at its own rate."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import Field

from pixforge.builtin.exporters.video.exporter import Recorder
from pixforge.builtin.exporters.video.timeline import Streamed
from pixforge.errors import InputError


class FilmConfig(Streamed):
    """The file that a film becomes."""

    type: Literal["film"] = "film"
    name: str = Field("film", pattern=r"^\w[\w.-]{0,99}$", description="Of the file, without its extension.")


class FilmVideo(Recorder[FilmConfig]):
    """Streams the frames of a film into an MP4, WebM, GIF, APNG or WebP: each once, at the rate that `film.fps` says.

    What holds for `video` holds here, too: it plays while it is written, and goes on after a stop as if there had been
    none.
    """

    def _plan(self, start: int) -> None:
        film = self.output.film
        if film is None:
            raise InputError("exporter film: there is no film without `film:` or `scenes:` in the recipe")
        self._rate = film.fps
        ends = (film.end(frame) for frame in range(film.count(self.output.steps)))
        self._frames = Counter(end for end in ends if end >= start)
        self._held = 0
