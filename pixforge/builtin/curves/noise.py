"""A number that wanders at random."""

from __future__ import annotations

import hashlib
import math
from typing import Annotated, Literal

from pydantic import Field

from pixforge.contracts import Curve, CurveConfig, Moment, Span
from pixforge.contracts.moment import spans


class NoiseConfig(CurveConfig):
    """How the number wanders."""

    type: Literal["noise"] = "noise"
    noise: Literal["smooth", "steps"] = Field(
        description="smooth: from one random value to the next; steps: it keeps each value until the next."
    )
    period: Span = Field(
        "10%", description="From one random value to the next: steps, 25% of the run, or 2s."
    )
    low: float = Field(0.0, description="The smallest value.")
    high: float = Field(1.0, description="The largest value.")
    seed: Annotated[int, Field(ge=0, strict=True)] = Field(
        0, description="Another number wanders another way."
    )


class NoiseCurve(Curve[NoiseConfig]):
    """Random values at regular moments, with smooth ways between them (value noise in one dimension)."""

    def at(self, moment: Moment) -> float:
        """The value at a moment."""
        config = self.config
        place = spans(config.period, moment)
        first = math.floor(place)
        share = place - first if config.noise == "smooth" else 0.0
        share = share * share * (3 - 2 * share)
        level = (1 - share) * self._value(first) + share * self._value(first + 1)
        return config.low + (config.high - config.low) * level

    def bounds(self) -> tuple[float, float]:
        """The two values, in order."""
        return min(self.config.low, self.config.high), max(self.config.low, self.config.high)

    def _value(self, index: int) -> float:
        digest = hashlib.blake2b(f"{self.config.seed}/{index}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64
