"""A number that follows the loudness of a sound."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from pixforge.contracts import Curve, CurveConfig, Moment
from pixforge.contracts.paths import RecipePath
from pixforge.errors import PixforgeError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Levels = npt.NDArray[np.float64]

PER_SECOND = 100
"""Measurements per second; between them are straight lines."""
_WINDOW = 0.05
"""Seconds of sound in each measurement: 20 Hz is the lowest tone of which one whole wave fits."""
BANDS = {
    "all": (20.0, 20_000.0),
    "bass": (20.0, 200.0),
    "middle": (200.0, 2000.0),
    "treble": (2000.0, 20_000.0),
}
Seconds = Annotated[float, Field(ge=0, le=60)]
Hertz = Annotated[float, Field(ge=0, le=24_000)]


class AudioConfig(CurveConfig):
    """Which sound, which part of it, and how fast the number follows."""

    type: Literal["audio"] = "audio"
    audio: RecipePath = Field(description="A sound: WAV, MP3, FLAC, Ogg, M4A, AIFF, or a video with sound.")
    band: Literal["all", "bass", "middle", "treble"] | tuple[Hertz, Hertz] = Field(
        "all",
        description="What is heard of it: bass to 200 Hz, middle to 2000 Hz, treble above, or [from, to] in Hz.",
    )
    attack: Seconds = Field(0.0, description="Seconds in which the number rises most of the way (63%).")
    release: Seconds = Field(0.2, description="Seconds in which it falls most of the way.")
    low: float = Field(0.0, description="The value in silence.")
    high: float = Field(1.0, description="The value at the loudest moment of the band.")

    @field_validator("band")
    @classmethod
    def _in_order(cls, value: str | tuple[float, float]) -> str | tuple[float, float]:
        if not isinstance(value, str) and not value[0] < value[1]:
            raise ValueError(
                f"a band goes from a low to a high tone, not from {value[0]:g} to {value[1]:g} Hz"
            )
        return value


class AudioCurve(Curve[AudioConfig]):
    """The loudness of a sound at this second of the film; after the sound's end it is silent.

    Loudness is the root of the mean square within the band, as a share of its largest value in the sound.
    """

    def __init__(self, config: AudioConfig, folder: Path) -> None:
        super().__init__(config, folder)
        path = folder / config.audio
        band = BANDS[config.band] if isinstance(config.band, str) else config.band
        try:
            state = path.stat()
            levels = _levels(str(path), band, (state.st_mtime_ns, state.st_size))
        except OSError as error:
            raise ValueError(f"{path} cannot be read ({error.strerror})") from None
        except PixforgeError as error:
            raise ValueError(str(error)) from None
        self._values = followed(levels.tolist(), config.attack, config.release)

    def at(self, moment: Moment) -> float:
        """The value at a moment."""
        place = moment.second * PER_SECOND
        first = math.floor(place)
        level = self._value(first) + (self._value(first + 1) - self._value(first)) * (place - first)
        return self.config.low + (self.config.high - self.config.low) * level

    def bounds(self) -> tuple[float, float]:
        """The two values, in order."""
        return min(self.config.low, self.config.high), max(self.config.low, self.config.high)

    def _value(self, index: int) -> float:
        if index < len(self._values):
            return self._values[index]
        if not self.config.release:
            return 0.0
        past = index - len(self._values) + 1
        return self._values[-1] * math.exp(-past / (self.config.release * PER_SECOND))


def followed(levels: list[float], attack: float, release: float) -> list[float]:
    """Levels after a follower with two time constants in seconds: it rises with one and falls with the other."""
    rise, fall = (1 - math.exp(-1 / (each * PER_SECOND)) if each else 1.0 for each in (attack, release))
    now, found = 0.0, []
    for level in levels:
        now += (level - now) * (rise if level > now else fall)
        found.append(now)
    return found


@lru_cache(maxsize=16)
def _levels(path: str, band: tuple[float, float], state: tuple[int, int]) -> Levels:  # noqa: ARG001 - a changed file is read again
    """Loudness `[N]` in [0, 1], `PER_SECOND` times per second. Kept, since a recipe's curves are built more than once.

    Raises:
        SoundError: the file cannot be read, or is silent in the band.
    """
    from pixforge.media.sound import SoundError, read_sound

    samples, rate = read_sound(path)
    found = loudness(samples, rate, band)
    largest = float(found.max())
    if largest < 1e-6:
        raise SoundError(f"{path}: is silent from {band[0]:g} to {band[1]:g} Hz; choose another band")
    kept: Levels = found / largest
    kept.setflags(write=False)
    return kept


def loudness(samples: npt.NDArray[np.float32], rate: int, band: tuple[float, float]) -> Levels:
    """Root of the mean square `[N]` of the tones within a band in Hz, `PER_SECOND` times per second.

    Each is measured through a Hann window around its moment; by Parseval's theorem the energy of a band is the sum of the
    squares of its Fourier coefficients.
    """
    import numpy as np

    length = round(rate * _WINDOW)
    window = np.hanning(length + 2)[1:-1]
    tones = np.fft.rfftfreq(length, 1 / rate)
    inside = (tones >= band[0]) & (tones <= band[1])
    count = len(samples) * PER_SECOND // rate + 1
    padded = np.pad(samples, length // 2 + 1)
    starts = np.arange(count) * rate // PER_SECOND + 1
    found = np.zeros(count)
    for begin in range(
        0, count, 512
    ):  # a part at a time, since windows overlap and take five times the memory
        places = starts[begin : begin + 512, None] + np.arange(length)
        pieces = padded[np.minimum(places, len(padded) - 1)] * window
        energy = np.abs(np.fft.rfft(pieces, axis=1)[:, inside]) ** 2
        found[begin : begin + 512] = 2 * energy.sum(axis=1) / (length * (window**2).sum())
    levels: Levels = np.sqrt(found)
    return levels
