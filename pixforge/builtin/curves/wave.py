"""A number that goes up and down regularly."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from pixforge.contracts import Curve, CurveConfig, Moment, Span
from pixforge.contracts.moment import spans

HALF = 0.5


class WaveConfig(CurveConfig):
    """Shape, length and range of a wave."""

    type: Literal["wave"] = "wave"
    wave: Literal["sine", "triangle", "square", "saw"] = Field(
        description="sine; triangle: straight lines up and down; square: two values; saw: rises, then drops."
    )
    period: Span = Field("100%", description="Length of one wave: steps, 25% of the run, or 2s of the film.")
    low: float = Field(0.0, description="The smallest value.")
    high: float = Field(1.0, description="The largest value.")
    phase: float = Field(0.0, description="Share of a wave that has passed at the start.")


class WaveCurve(Curve[WaveConfig]):
    """A wave between two values; it starts in the middle and rises (`saw` starts low, `square` high)."""

    def at(self, moment: Moment) -> float:
        """The value at a moment."""
        config = self.config
        share = (spans(config.period, moment) + config.phase) % 1.0
        return config.low + (config.high - config.low) * _SHAPES[config.wave](share)

    def bounds(self) -> tuple[float, float]:
        """The two values, in order."""
        return min(self.config.low, self.config.high), max(self.config.low, self.config.high)


def _sine(share: float) -> float:
    return (1 + math.sin(2 * math.pi * share)) / 2


def _triangle(share: float) -> float:
    return 1 - abs(((share + 0.25) % 1.0) * 2 - 1)


def _square(share: float) -> float:
    return 1.0 if share < HALF else 0.0


def _saw(share: float) -> float:
    return share


_SHAPES = {"sine": _sine, "triangle": _triangle, "square": _square, "saw": _saw}
