"""Optimizers of the library pytorch_optimizer (`pip install pixforge[optimizers]`), with the arguments that it gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field

from pixforge.contracts import Optimizer, OptimizerConfig, Range, Schedule
from pixforge.errors import InputError

if TYPE_CHECKING:
    import torch

Share = Annotated[float, Field(ge=0, lt=1)]

_COUNTERS = ("step", "d", "d_max", "d_hat", "d_numerator")
"""What the library keeps beside the parameters' own state and a run that goes on needs."""
_PREFIX = "group_"


class ExtraConfig(OptimizerConfig):
    """What all of them have."""

    weight_decay: float = Field(0.0, ge=0, le=10, description="Pulls the latent towards zero.")

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for the library's class, but the learning rate."""
        return self.model_dump(exclude={"type", *OptimizerConfig.model_fields})


T = TypeVar("T", bound=ExtraConfig)


class ExtraOptimizer(Optimizer[T]):
    """One of `pytorch_optimizer`; `class_name` is its class there."""

    class_name: ClassVar[str]
    joins_canvases: ClassVar[bool] = False
    """Whether what it computes for one canvas depends on the others."""

    def make(self, groups: list[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
        """The library's optimizer.

        Raises:
            InputError: the library is not there, or it would let canvases influence each other.
        """
        word = self.config_type.model_fields["type"].default
        if self.joins_canvases and self.context.batch > 1:
            raise InputError(
                f"optimizer: {word} joins all canvases in one estimate; use `canvases: 1`, or another optimizer"
            )
        try:
            import pytorch_optimizer
        except ImportError:
            raise InputError(
                f"optimizer: {word} needs pytorch_optimizer: pip install 'pixforge[optimizers]'"
            ) from None
        base = getattr(pytorch_optimizer, self.class_name)
        made: torch.optim.Optimizer = _with_counters(base)(groups, lr=rate, **self.config.arguments())
        return made


def _with_counters(base: Any) -> Any:
    """The class with its counters in `state_dict()["state"]`, where a checkpoint looks for moments."""

    class Counted(base):  # type: ignore[misc]
        def state_dict(self) -> dict[str, Any]:
            whole: dict[str, Any] = super().state_dict()
            state = {number: dict(values) for number, values in whole["state"].items()}
            for group, numbers in zip(self.param_groups, whole["param_groups"], strict=True):
                kept = {_PREFIX + name: float(group[name]) for name in _COUNTERS if name in group}
                for number in numbers["params"]:
                    if number in state:
                        state[number] |= kept
            return {**whole, "state": state}

        def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
            state = {number: dict(values) for number, values in state_dict["state"].items()}
            groups = [dict(group) for group in state_dict["param_groups"]]
            for group in groups:
                for number in group["params"]:
                    group |= _taken(state.get(number, {}))
            super().load_state_dict({**state_dict, "state": state, "param_groups": groups})

    Counted.__name__ = base.__name__
    return Counted


def _taken(values: dict[str, Any]) -> dict[str, Any]:
    """The counters among a parameter's state, taken out of it."""
    import torch

    found: dict[str, Any] = {}
    for name in _COUNTERS:
        if _PREFIX + name not in values:
            continue
        number = float(values.pop(_PREFIX + name))
        if name == "d_numerator":
            found[name] = torch.tensor([number])
        else:
            found[name] = int(number) if name == "step" else number
    return found


class _Moments(ExtraConfig):
    betas: tuple[Share, Share] = Field((0.9, 0.999), description="Memory of the mean and of the square.")


class AdamPConfig(_Moments):
    """Arguments of AdamP."""

    type: Literal["adamp"] = "adamp"
    delta: float = Field(0.1, ge=0, le=1, description="How near to a right angle a gradient is projected.")
    wd_ratio: float = Field(0.1, ge=0, le=1, description="Share of the weight decay where it is projected.")
    nesterov: bool = Field(default=False, strict=True, description="Look ahead along the momentum.")


class AdamP(ExtraOptimizer[AdamPConfig]):
    """Adam that takes from the step what only makes the latent longer (Heo et al. 2020); deep-daze's default.

    It measures angles over all canvases at once, so it is for one.
    """

    class_name = "AdamP"
    joins_canvases = True


class DiffGradConfig(_Moments):
    """Arguments of diffGrad."""

    type: Literal["diffgrad"] = "diffgrad"


class DiffGrad(ExtraOptimizer[DiffGradConfig]):
    """Adam with shorter steps where the gradient changes little (Dubey et al. 2019); a choice of VQGAN-CLIP and Pixray."""

    class_name = "DiffGrad"


class LionConfig(ExtraConfig):
    """Arguments of Lion."""

    type: Literal["lion"] = "lion"
    betas: tuple[Share, Share] = Field(
        (0.9, 0.99), description="Memory of the mean in the step, and of the mean that is kept."
    )


class Lion(ExtraOptimizer[LionConfig]):
    """Every number moves by the learning rate, up or down (Chen et al. 2023): a third of Adam's learning rate suits."""

    class_name = "Lion"


class ProdigyConfig(_Moments):
    """Arguments of Prodigy."""

    type: Literal["prodigy"] = "prodigy"
    learning_rate: Annotated[Schedule, Range(ge=0)] | None = Field(
        Schedule(1.0), description="Multiplies the size of the steps that it finds by itself."
    )
    d0: float = Field(1e-3, gt=0, le=1, description="First guess of the size of the steps; it only grows.")
    d_coef: float = Field(1.0, gt=0, le=100, description="Multiplies the size that it finds.")


class Prodigy(ExtraOptimizer[ProdigyConfig]):
    """Adam that finds its learning rate (Mishchenko and Defazio 2023). It is one for all canvases, so it is for one."""

    class_name = "Prodigy"
    joins_canvases = True


class AdanConfig(ExtraConfig):
    """Arguments of Adan."""

    type: Literal["adan"] = "adan"
    betas: tuple[Share, Share, Share] = Field(
        (0.98, 0.92, 0.99), description="Memory of the mean, of its change, and of the square."
    )


class Adan(ExtraOptimizer[AdanConfig]):
    """Adam with a Nesterov momentum that follows how the gradient changes (Xie et al. 2022)."""

    class_name = "Adan"


class AdaBeliefConfig(_Moments):
    """Arguments of AdaBelief."""

    type: Literal["adabelief"] = "adabelief"


class AdaBelief(ExtraOptimizer[AdaBeliefConfig]):
    """Adam with long steps where the gradient is as its mean foretold (Zhuang et al. 2020)."""

    class_name = "AdaBelief"
