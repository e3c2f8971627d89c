"""How a camera moves from frame to frame, by what its recipe says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from pixforge.builtin.curves.noise import NoiseConfig, NoiseCurve
from pixforge.builtin.edits.camera.config import CameraConfig
from pixforge.builtin.edits.camera.motion import Motion, forward, stays_in_sight
from pixforge.contracts.context import RunFacts
from pixforge.contracts.film import Film, moment_of
from pixforge.contracts.moment import FRAMES_PER_SECOND
from pixforge.contracts.region import pixels
from pixforge.errors import InputError

_FLIGHT = {"zoom": 0.3, "pan_x": 0.15, "pan_y": 0.15, "rotate": 12.0}
"""How fast a flight of strength 1 may go each way: the logarithm of the zoom, shares of the sides, and degrees per second."""
_FLIGHT_SECONDS = "3s"
_LARGEST = {"pan_x": 1.0, "pan_y": 1.0, "rotate": 180.0, "shear": 1.0, "tilt": 45.0, "turn": 45.0}
"""What one frame may do; beyond, nothing of the picture would be left, or a turn would look like another one."""
_ZOOM = 4.0
_ROUNDED = 1 + 1e-9
_LOOKED_AT = 5_000
"""Frames whose move is computed before a run, within a second; of more, so many are taken at equal distances."""


class Way:
    """The moves of a camera.

    Args:
        config: of the camera.
        facts: size, steps and film of the run.
    """

    def __init__(self, config: CameraConfig, facts: RunFacts) -> None:
        self._config, self._facts = config, facts
        fps = FRAMES_PER_SECOND if facts.film is None else facts.film.fps
        self._seconds = config.every / fps if config.per == "second" else 1.0
        width, height = facts.size
        self.center = pixels(config.center[0], width) / width, pixels(config.center[1], height) / height
        """As shares of width and height."""
        self._noise = [
            NoiseCurve(
                NoiseConfig(noise="smooth", period=_FLIGHT_SECONDS, low=-speed, high=speed, seed=seed), Path()
            )
            for seed, speed in enumerate(_FLIGHT.values(), 4 * config.flight_seed)
        ]

    def at(self, step: int) -> Motion:
        """The move after a step."""
        config, moment = self._config, moment_of(self._facts.film, step, self._facts.steps)
        speeds = {name: getattr(config, name).value(moment) for name in _LARGEST}
        zoom = math.log(config.zoom.value(moment))
        if flight := config.flight.value(moment):
            drift = {name: flight * each.at(moment) for name, each in zip(_FLIGHT, self._noise, strict=True)}
            zoom += drift.pop("zoom")
            speeds = {name: speed + drift.get(name, 0.0) for name, speed in speeds.items()}
        share = self._seconds * config.strength.value(moment)
        return Motion(zoom=math.exp(zoom * share), **{name: speed * share for name, speed in speeds.items()})

    def check(self) -> None:
        """See that each frame keeps something of the picture.

        Raises:
            InputError: names the field, or the frame.
        """
        steps = self._steps()
        known: Motion | None = None
        for step in steps[:: len(steps) // _LOOKED_AT + 1]:
            motion = self.at(step)
            if motion != known:
                self._check(motion, step)
            known = motion

    def _steps(self) -> list[int]:
        """After which steps it moves; one stands for all when it always moves alike."""
        config, facts = self._config, self._facts
        begin, end = (pixels(each, facts.steps) for each in (config.since, config.until))
        steps = [step for step in _boundaries(facts.film, facts.steps, config.every) if begin <= step <= end]
        numbers = (getattr(config, name) for name in (*_LARGEST, "zoom", "strength"))
        same = config.flight.constant == 0 and all(each.constant is not None for each in numbers)
        return steps[:1] if same else steps

    def _check(self, motion: Motion, step: int) -> None:
        film, aspect = self._facts.film, self._facts.size[0] / self._facts.size[1]
        at = f"step {step}" if film is None else f"frame {film.boundary(step)}"
        for name, largest in _LARGEST.items():
            if abs(speed := getattr(motion, name)) > largest * _ROUNDED:
                raise InputError(
                    f"camera: {name}: {speed:g} from one frame to the next (after {at}); at most {largest:g}"
                )
        if abs(math.log(motion.zoom)) > math.log(_ZOOM) * _ROUNDED:
            text = f"a factor of {motion.zoom:g} from one frame to the next (after {at}); from {1 / _ZOOM:g} to {_ZOOM:g}"
            raise InputError(f"camera: zoom: {text}")
        if not stays_in_sight(forward(motion, aspect, self.center, self._config.field_of_view), aspect):
            raise InputError(
                f"camera: after {at} nothing of the picture stays in sight; "
                "move it less from one frame to the next, or give it a center nearer to its middle"
            )


def _boundaries(film: Film | None, steps: int, every: int) -> Iterator[int]:
    """The steps after which an edit of every so-manieth frame acts, and that another step follows."""
    if film is None:
        yield from range(every, steps, every)
        return
    for frame in range(-1 - film.lead_in if film.lead_in else 0, film.count(steps) - 1):
        if (frame + 1) % every == 0:
            yield film.end(frame)
