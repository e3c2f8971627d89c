"""Torch's optimizers that suit a latent without data, each with the arguments that torch gives it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field, model_validator
from typing_extensions import Self

from pixforge.contracts import Optimizer, OptimizerConfig

if TYPE_CHECKING:
    import torch

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
_WRAPPED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


class TorchConfig(OptimizerConfig):
    """What all of torch's have."""

    weight_decay: NotNegative = Field(0.0, description="Pulls the latent towards zero.")

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for torch's class, but the learning rate."""
        return self.model_dump(exclude={"type", *OptimizerConfig.model_fields})


T = TypeVar("T", bound=TorchConfig)


class TorchOptimizer(Optimizer[T]):
    """One of `torch.optim`; `torch_name` is its class there."""

    torch_name: ClassVar[str]
    fusible: ClassVar[bool] = False
    """Whether torch has it as one operation for GPUs."""

    def make(self, groups: list[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
        """Torch's optimizer with the arguments of the configuration."""
        arguments = self.config.arguments()
        if self.fusible and _on_gpu(groups):
            arguments["fused"] = True  # two operations instead of a dozen
        made: torch.optim.Optimizer = _uncompiled(self.torch_name)(groups, lr=rate, **arguments)
        return made


def _on_gpu(groups: list[dict[str, Any]]) -> bool:
    return all(each.is_cuda for group in groups for each in group["params"])


@lru_cache
def _uncompiled(name: str) -> Callable[..., torch.optim.Optimizer]:
    """A class of `torch.optim` without the wrappers that hold torch's compiler off.

    The first call of such a wrapper imports the compiler, which takes a second; no step of an optimizer is compiled here.
    """
    import torch

    kind: type[torch.optim.Optimizer] = getattr(torch.optim, name)
    plain = {each: inspect.unwrap(getattr(kind, each)) for each in _WRAPPED}
    return type(name, (kind,), {**plain, "step": torch.no_grad()(inspect.unwrap(kind.step))})


class _Moments(TorchConfig):
    betas: tuple[Share, Share] = Field((0.9, 0.999), description="Memory of the mean and of the square.")
    eps: Positive = Field(1e-8, description="Keeps the denominator from zero.")


class AdamConfig(_Moments):
    """Arguments of torch.optim.Adam."""

    type: Literal["adam"] = "adam"
    amsgrad: bool = Field(default=False, description="Let the denominator only grow.")


class AdamWConfig(_Moments):
    """Arguments of torch.optim.AdamW."""

    type: Literal["adamw"] = "adamw"
    weight_decay: NotNegative = Field(0.01, description="Pulls the latent towards zero.")
    amsgrad: bool = Field(default=False, description="Let the denominator only grow.")


class NAdamConfig(_Moments):
    """Arguments of torch.optim.NAdam."""

    type: Literal["nadam"] = "nadam"
    momentum_decay: NotNegative = Field(
        0.004, description="How fast the momentum comes to its full strength."
    )


class RAdamConfig(_Moments):
    """Arguments of torch.optim.RAdam."""

    type: Literal["radam"] = "radam"


class AdamaxConfig(_Moments):
    """Arguments of torch.optim.Adamax."""

    type: Literal["adamax"] = "adamax"


class AdagradConfig(TorchConfig):
    """Arguments of torch.optim.Adagrad."""

    type: Literal["adagrad"] = "adagrad"
    lr_decay: NotNegative = Field(
        0.0, description="Shortens the steps further, by 1 / (1 + step * lr_decay)."
    )
    initial_accumulator_value: NotNegative = Field(0.0, description="Square of the gradient to begin with.")
    eps: Positive = Field(1e-10, description="Keeps the denominator from zero.")


class RMSpropConfig(TorchConfig):
    """Arguments of torch.optim.RMSprop."""

    type: Literal["rmsprop"] = "rmsprop"
    alpha: Share = Field(0.99, description="Memory of the square.")
    momentum: NotNegative = Field(0.0, description="Share of the last step that goes into the next.")
    centered: bool = Field(default=False, description="Divide by the deviation, not by the root mean square.")
    eps: Positive = Field(1e-8, description="Keeps the denominator from zero.")


class SGDConfig(TorchConfig):
    """Arguments of torch.optim.SGD."""

    type: Literal["sgd"] = "sgd"
    momentum: NotNegative = Field(0.0, description="Share of the last step that goes into the next.")
    dampening: NotNegative = Field(0.0, description="Weakens the gradient in the momentum.")
    nesterov: bool = Field(default=False, description="Look ahead along the momentum.")

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("nesterov needs momentum above 0 and dampening 0")
        return self


class Adam(TorchOptimizer[AdamConfig]):
    """Steps of even size whatever the scale of the gradient: what CLIP guidance is done with."""

    torch_name = "Adam"
    fusible = True


class AdamW(TorchOptimizer[AdamWConfig]):
    """Adam whose weight decay does not pass through the denominator."""

    torch_name = "AdamW"
    fusible = True


class NAdam(TorchOptimizer[NAdamConfig]):
    """Adam with Nesterov momentum."""

    torch_name = "NAdam"


class RAdam(TorchOptimizer[RAdamConfig]):
    """Adam with a warm-up of its own."""

    torch_name = "RAdam"


class Adamax(TorchOptimizer[AdamaxConfig]):
    """Adam with the largest gradient in place of the mean square."""

    torch_name = "Adamax"


class Adagrad(TorchOptimizer[AdagradConfig]):
    """Steps that get shorter by themselves."""

    torch_name = "Adagrad"


class RMSprop(TorchOptimizer[RMSpropConfig]):
    """Adam without its mean."""

    torch_name = "RMSprop"


class SGD(TorchOptimizer[SGDConfig]):
    """Plain descent: steps as long as the gradient times the learning rate."""

    torch_name = "SGD"
