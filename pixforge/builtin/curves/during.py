"""A number that counts during a part of the run only."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.contracts import Curve, CurveConfig, Moment, Schedule

Steps = Annotated[int, Field(ge=0, strict=True)]


class DuringConfig(CurveConfig):
    """From when to when, and what it is then."""

    type: Literal["during"] = "during"
    during: tuple[Steps, Steps] = Field(
        description="The first step, and the first one after it; else it is 0."
    )
    fade_in: Steps = Field(0, description="Steps over which it rises from 0 at the beginning.")
    fade_out: Steps = Field(0, description="Steps over which it falls to 0 at the end.")
    value: Schedule = Field(Schedule(1.0), description="What it is between.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        begin, end = self.during
        if begin >= end:
            raise ValueError(f"it ends at step {end}, but begins at step {begin}")
        if self.fade_in + self.fade_out > end - begin:
            raise ValueError(
                f"{self.fade_in} and {self.fade_out} steps of fading do not fit into {end - begin}"
            )
        return self


class DuringCurve(Curve[DuringConfig]):
    """A number during a part of the run, and 0 outside; scenes become such numbers.

    Where one fades out while another fades in over the same steps, both together are always 1.
    """

    def at(self, moment: Moment) -> float:
        """The value at a moment."""
        config, (begin, end) = self.config, self.config.during
        if not begin <= moment.step < end:
            return 0.0
        share = 1.0
        if config.fade_in:
            share = min(share, (moment.step - begin) / config.fade_in)
        if config.fade_out:
            share = min(share, (end - moment.step) / config.fade_out)
        return share * config.value.value(moment)

    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest value, 0 among them."""
        return min(0.0, *self.config.value.values), max(0.0, *self.config.value.values)
