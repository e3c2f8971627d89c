"""Torch's optimizers that suit a latent without data, each with the arguments that torch gives it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from pixforge.contracts import Config, Range, Schedule

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class OptimizerConfig(Config):
    """What every optimizer has; `torch_name` is the class in `torch.optim`."""

    torch_name: ClassVar[str]

    learning_rate: Annotated[Schedule, Range(ge=0)] | None = Field(
        None, description="Size of the steps; what suits the generator when absent."
    )
    weight_decay: NotNegative = Field(0.0, description="Pulls the latent towards zero.")

    @field_validator("learning_rate")
    @classmethod
    def _moves(cls, rate: Schedule | None) -> Schedule | None:
        if rate is not None and not any(rate.values):
            raise ValueError("0 throughout would leave the picture as it starts; give a value above 0")
        return rate

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for torch's class, but the learning rate."""
        return self.model_dump(exclude={"type", "learning_rate"})


class _Moments(OptimizerConfig):
    betas: tuple[Share, Share] = Field((0.9, 0.999), description="Memory of the mean and of the square.")
    eps: Positive = Field(1e-8, description="Keeps the denominator from zero.")


class AdamConfig(_Moments):
    """Steps of even size whatever the scale of the gradient: what CLIP guidance is done with."""

    torch_name: ClassVar[str] = "Adam"
    type: Literal["adam"] = "adam"
    amsgrad: bool = Field(default=False, description="Let the denominator only grow.")


class AdamWConfig(_Moments):
    """Adam whose weight decay does not pass through the denominator."""

    torch_name: ClassVar[str] = "AdamW"
    type: Literal["adamw"] = "adamw"
    weight_decay: NotNegative = Field(0.01, description="Pulls the latent towards zero.")
    amsgrad: bool = Field(default=False, description="Let the denominator only grow.")


class NAdamConfig(_Moments):
    """Adam with Nesterov momentum."""

    torch_name: ClassVar[str] = "NAdam"
    type: Literal["nadam"] = "nadam"
    momentum_decay: NotNegative = Field(
        0.004, description="How fast the momentum comes to its full strength."
    )


class RAdamConfig(_Moments):
    """Adam with a warm-up of its own."""

    torch_name: ClassVar[str] = "RAdam"
    type: Literal["radam"] = "radam"


class AdamaxConfig(_Moments):
    """Adam with the largest gradient in place of the mean square."""

    torch_name: ClassVar[str] = "Adamax"
    type: Literal["adamax"] = "adamax"


class AdagradConfig(OptimizerConfig):
    """Steps that get shorter by themselves."""

    torch_name: ClassVar[str] = "Adagrad"
    type: Literal["adagrad"] = "adagrad"
    lr_decay: NotNegative = Field(
        0.0, description="Shortens the steps further, by 1 / (1 + step * lr_decay)."
    )
    initial_accumulator_value: NotNegative = Field(0.0, description="Square of the gradient to begin with.")
    eps: Positive = Field(1e-10, description="Keeps the denominator from zero.")


class RMSpropConfig(OptimizerConfig):
    """Adam without its mean."""

    torch_name: ClassVar[str] = "RMSprop"
    type: Literal["rmsprop"] = "rmsprop"
    alpha: Share = Field(0.99, description="Memory of the square.")
    momentum: NotNegative = Field(0.0, description="Share of the last step that goes into the next.")
    centered: bool = Field(default=False, description="Divide by the deviation, not by the root mean square.")
    eps: Positive = Field(1e-8, description="Keeps the denominator from zero.")


class SGDConfig(OptimizerConfig):
    """Plain descent: steps as long as the gradient times the learning rate."""

    torch_name: ClassVar[str] = "SGD"
    type: Literal["sgd"] = "sgd"
    momentum: NotNegative = Field(0.0, description="Share of the last step that goes into the next.")
    dampening: NotNegative = Field(0.0, description="Weakens the gradient in the momentum.")
    nesterov: bool = Field(default=False, description="Look ahead along the momentum.")

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("nesterov needs momentum above 0 and dampening 0")
        return self


_TYPES = (
    AdamConfig,
    AdamWConfig,
    NAdamConfig,
    RAdamConfig,
    AdamaxConfig,
    AdagradConfig,
    RMSpropConfig,
    SGDConfig,
)
OPTIMIZERS: dict[str, type[Config]] = {each.model_fields["type"].default: each for each in _TYPES}
