"""Synthesize the sound of song.yaml: a beat, a bass and a melody of eight seconds, `song.wav` beside this file.

Nothing but sines and noise, so that nobody owns it: `python examples/song.py`.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE, BEAT, BEATS = 11_025, 0.5, 16
MELODY = (69, 72, 76, 72, 67, 71, 74, 71, 65, 69, 72, 69, 64, 68, 71, 76)
"""Notes as MIDI counts them: 69 is the A of 440 Hz."""
Sound = npt.NDArray[np.float64]


def hertz(note: float) -> float:
    """The frequency of a note."""
    return float(440 * 2 ** ((note - 69) / 12))


def fading(seconds: float, half: float) -> tuple[Sound, Sound]:
    """Moments, and a loudness that is halved every `half` seconds."""
    moments = np.arange(round(seconds * RATE)) / RATE
    return moments, 0.5 ** (moments / half) * np.minimum(1, moments / 0.004)


def drum() -> Sound:
    """A tone that falls from 150 to 50 Hz."""
    moments, loud = fading(0.3, 0.05)
    pitch = 50 * moments + 100 * 0.04 * (1 - np.exp(-moments / 0.04))
    return loud * np.sin(2 * np.pi * pitch)


def hat() -> Sound:
    """Noise without its low tones."""
    moments, loud = fading(0.1, 0.015)
    noise = np.random.default_rng(1).normal(size=len(moments))
    return loud * np.diff(noise, prepend=0.0) / 2


def note(number: float, seconds: float, half: float) -> Sound:
    """A tone and two overtones."""
    moments, loud = fading(seconds, half)
    waves = [np.sin(2 * np.pi * hertz(number) * k * moments) / k**2 for k in (1, 2, 3)]
    return loud * np.sum(waves, axis=0)


def song() -> Sound:
    """All of it, between -1 and 1."""
    mixed = np.zeros(round((BEATS * BEAT + 0.5) * RATE))

    def add(sound: Sound, beat: float, volume: float) -> None:
        begin = round(beat * BEAT * RATE)
        mixed[begin : begin + len(sound)] += volume * sound

    for beat in range(BEATS):
        if beat % 2 == 0:
            add(drum(), beat, 1.0)
            add(note(MELODY[beat // 4 * 4] - 24, 0.9, 0.4), beat, 0.4)
        add(hat(), beat + 0.5, 0.3)
        add(note(MELODY[beat], 0.6, 0.2), beat, 0.3)
    whole = mixed[: round(BEATS * BEAT * RATE)]
    return whole / np.abs(whole).max() * 0.9


if __name__ == "__main__":
    with wave.open(str(Path(__file__).with_name("song.wav")), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((song() * 32767).astype("<i2").tobytes())
