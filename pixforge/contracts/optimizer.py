"""Optimizers: how the latent is updated by its gradient."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from pixforge.contracts.component import C, Component
from pixforge.contracts.config import Config
from pixforge.contracts.moment import Span, check_span
from pixforge.contracts.schedule import Range, Schedule

if TYPE_CHECKING:
    import torch

_MOST_RESETS = 1000


def _reset(value: Any) -> Any:
    try:
        if isinstance(value, list) and 0 < len(value) <= _MOST_RESETS:
            return [check_span(each) for each in value]
        return value if value == "frame" else check_span(value)
    except PydanticCustomError:
        raise PydanticCustomError(
            "reset",
            "give moments such as [100, 50%], a span such as 20, 10% or 2s, or frame (1000 moments at most)",
        ) from None


Reset = Annotated[list[Span] | Literal["frame"] | Span, BeforeValidator(_reset)]


class OptimizerConfig(Config):
    """What every optimizer has."""

    learning_rate: Annotated[Schedule, Range(ge=0)] | None = Field(
        None, description="Size of the steps; what suits the generator when absent."
    )
    clamp: float | None = Field(
        None,
        gt=0,
        le=1e6,
        description="Largest root mean square of a canvas's gradient; a larger one is shortened to it.",
    )
    reset: Reset | None = Field(
        None,
        description="When the moments start anew: `[100, 50%]` at these moments, `20` or `2s` every so often, "
        "`frame` with each frame of a film.",
    )

    @field_validator("learning_rate")
    @classmethod
    def _moves(cls, rate: Schedule | None) -> Schedule | None:
        if rate is not None and rate.constant == 0:
            raise ValueError("0 throughout would leave the picture as it starts; give a value above 0")
        return rate


class Optimizer(Component[C]):
    """Makes the object that updates the latent. Any class with the interface of `torch.optim.Optimizer` will do."""

    kind = "optimizer"

    @abstractmethod
    def make(self, groups: list[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
        """An optimizer over parameter groups as torch takes them, with the learning rate of the first step.

        The engine sets `lr` of every group before each step. Moments must be tensors in `state_dict()["state"]`, so that
        a checkpoint keeps them.
        """
