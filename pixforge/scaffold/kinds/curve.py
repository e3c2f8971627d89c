"""A curve for pixforge: a number that climbs stairs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

import pixforge


class PlaceholderConfig(pixforge.CurveConfig):
    """What a recipe may say wherever a number may change: `{placeholder: 4, low: 0, high: 2}`."""

    type: Literal["placeholder"] = "placeholder"
    placeholder: int = Field(ge=1, le=10_000, strict=True, description="Number of stairs over the run.")
    low: float = Field(0.0, description="The value of the first stair.")
    high: float = Field(1.0, description="The value of the last one.")


class Placeholder(pixforge.Curve[PlaceholderConfig]):
    """Stairs of equal length from one value to another."""

    def at(self, moment: pixforge.Moment) -> float:
        """The value at a moment: `moment` has `step`, `share` (of the run), `frame` and `second`."""
        stairs = self.config.placeholder
        stair = min(int(moment.share * stairs), stairs - 1)
        return self.config.low + (self.config.high - self.config.low) * stair / max(stairs - 1, 1)

    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest value; a recipe is refused where a field allows less."""
        return min(self.config.low, self.config.high), max(self.config.low, self.config.high)


@pixforge.hookimpl
def pixforge_curves() -> list[type[pixforge.Curve[Any]]]:
    """What this plugin adds."""
    return [Placeholder]
