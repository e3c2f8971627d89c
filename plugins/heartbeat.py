"""A curve: a number that beats like a heart, two quick bumps and a rest.

plugins: [plugins/heartbeat.py]
losses: [{type: saturation, weight: {heartbeat: 20, low: 0, high: 2}}]
"""

import math
from typing import Literal

from pydantic import Field

import pixforge
from pixforge.contracts import spans


class HeartbeatConfig(pixforge.CurveConfig):
    """Length and range of a beat."""

    type: Literal["heartbeat"] = "heartbeat"
    heartbeat: pixforge.Span = Field(
        description="From one beat to the next: steps, 10% of the run, or 1s of the film."
    )
    low: float = Field(0.0, description="The value at rest.")
    high: float = Field(1.0, description="The value of the stronger bump.")


class Heartbeat(pixforge.Curve[HeartbeatConfig]):
    """Two bumps, the second one weaker, and a rest."""

    def at(self, moment: pixforge.Moment) -> float:
        """The value at a moment."""
        place = spans(self.config.heartbeat, moment) % 1.0
        bumps = math.exp(-(((place - 0.15) / 0.06) ** 2)) + 0.6 * math.exp(-(((place - 0.4) / 0.08) ** 2))
        return self.config.low + (self.config.high - self.config.low) * min(bumps, 1.0)

    def bounds(self) -> tuple[float, float]:
        """Rest and the stronger bump, in order."""
        return min(self.config.low, self.config.high), max(self.config.low, self.config.high)


@pixforge.hookimpl
def pixforge_curves() -> list[type[Heartbeat]]:
    """The list that makes it known."""
    return [Heartbeat]
