"""What every component's part of a recipe has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pixforge.contracts.schedule import Range, Schedule


class Config(BaseModel):
    """Base of all configurations: frozen, without unknown fields, numbers finite.

    A component's own configuration adds `type: Literal["tag"] = "tag"`, and its fields with defaults, bounds and
    `Field(description=...)`, which the schema, the editors and the documentation show.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True, protected_namespaces=()
    )


class LossConfig(Config):
    """A loss has a weight beside the prompt term, which as a whole has weight 1."""

    weight: Schedule = Field(Schedule(1.0), description="Weight beside the prompt term, which has 1.")


class PerceptorConfig(Config):
    """A perceptor's weight is relative to the other perceptors'."""

    weight: Annotated[Schedule, Range(ge=0)] = Field(
        Schedule(1.0), description="Weight relative to the other perceptors."
    )
