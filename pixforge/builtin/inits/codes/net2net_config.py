"""Read the part of a taming-transformers YAML file that describes a Net2NetTransformer."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from pixforge.builtin.generators.vqgan.network_config import (
    TARGETS,
    TRANSFORMER,
    VqganConfig,
    model_part,
    parse_config,
)
from pixforge.errors import WeightsError

FIRST_STAGE = "__is_first_stage__"
UNCONDITIONAL = "__is_unconditional__"

Side = Annotated[int, Field(ge=1, le=128)]
Token = Annotated[int, Field(ge=0, le=1 << 20)]
M = TypeVar("M", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class GPTConfig(_Part):
    """The arguments of taming's `GPT`, except dropout, which only matters in training."""

    vocab_size: Annotated[int, Field(ge=1, le=1 << 20)]
    block_size: Annotated[int, Field(ge=1, le=8192)]
    n_layer: Annotated[int, Field(ge=1, le=256)] = 12
    n_head: Annotated[int, Field(ge=1, le=256)] = 8
    n_embd: Annotated[int, Field(ge=1, le=16384)] = 256
    n_unmasked: Annotated[int, Field(ge=0, le=8192)] = 0

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.n_embd % self.n_head:
            raise ValueError(f"n_head, {self.n_head}, must divide n_embd, {self.n_embd}")
        return self


class StartConfig(_Part):
    """The parameters of taming's `SOSProvider`."""

    sos_token: Token = 0


class LabelConfig(_Part):
    """The parameters of taming's `Labelator`."""

    n_classes: Annotated[int, Field(ge=1, le=1 << 20)]


class CoordinatesConfig(_Part):
    """The parameters of taming's `CoordStage`."""

    n_embed: Annotated[int, Field(ge=1, le=1 << 20)]
    down_factor: Annotated[int, Field(ge=1, le=1024)]


class PermuterConfig(_Part):
    """One of taming's permuters, by its class name, and its size in codes; `Identity` has no size."""

    name: str = "Identity"
    H: Side = 1
    W: Side = 1


class Part(_Part):
    """A class name and its parameters."""

    target: Annotated[str, Field(min_length=1)]
    params: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The class name without its module; a name from a file is never imported."""
        return self.target.rsplit(".", 1)[-1]


class Net2NetParams(_Part):
    """`model.params` of the file; the names are taming's."""

    transformer_config: Part
    first_stage_config: Part
    cond_stage_config: Part | str
    permuter_config: Part | None = None
    cond_stage_key: str = "depth"
    downsample_cond_size: int = -1
    sos_token: Token = 0
    unconditional: bool = False


class Net2NetConfig(_Part):
    """A Net2NetTransformer; if `condition` is None, the first stage also makes the condition."""

    gpt: GPTConfig
    first_stage: VqganConfig
    condition: StartConfig | LabelConfig | CoordinatesConfig | VqganConfig | None
    permuter: PermuterConfig
    key: str
    segmented: bool = False


def parse_net2net(content: dict[str, Any], label: str) -> Net2NetConfig:
    """Parse the transformer, its two stages and its permuter from a configuration.

    Raises:
        WeightsError: it describes another kind of model or an unknown condition, or a value is out of range.
    """
    name, params = model_part(content, label)
    if name != TRANSFORMER:
        raise WeightsError(f"{label} is of a {name}, which draws no codes; a {TRANSFORMER} does")
    parsed = _valid(Net2NetParams, params, f"{label}: model.params")
    if parsed.transformer_config.name != "GPT":
        raise WeightsError(
            f"{label}: transformer_config is a {parsed.transformer_config.name}, not taming's GPT"
        )
    if parsed.downsample_cond_size > -1:
        raise WeightsError(f"{label}: downsample_cond_size is not supported")
    order, condition = parsed.permuter_config, parsed.cond_stage_config
    permuter = {**order.params, "name": order.name} if order else {}
    return Net2NetConfig(
        gpt=_valid(GPTConfig, parsed.transformer_config.params, f"{label}: transformer_config.params"),
        first_stage=parse_config({"model": parsed.first_stage_config.model_dump()}, f"{label} (first stage)"),
        condition=_condition(parsed, label),
        permuter=_valid(PermuterConfig, permuter, f"{label}: permuter_config.params"),
        key=parsed.cond_stage_key,
        segmented=isinstance(condition, Part) and condition.name == "VQSegmentationModel",
    )


def _condition(
    params: Net2NetParams, label: str
) -> StartConfig | LabelConfig | CoordinatesConfig | VqganConfig | None:
    stage, where = params.cond_stage_config, f"{label}: cond_stage_config.params"
    if stage == FIRST_STAGE:
        return None
    if params.unconditional or stage == UNCONDITIONAL:
        return StartConfig(sos_token=params.sos_token)
    if isinstance(stage, str):
        raise WeightsError(
            f"{label}: cond_stage_config is '{stage}'; {FIRST_STAGE} or {UNCONDITIONAL} would work"
        )
    if stage.name in TARGETS:
        return parse_config({"model": stage.model_dump()}, f"{label} (condition)")
    kinds: dict[str, type[StartConfig | LabelConfig | CoordinatesConfig]] = {
        "SOSProvider": StartConfig,
        "Labelator": LabelConfig,
        "CoordStage": CoordinatesConfig,
    }
    if stage.name not in kinds:
        known = ", ".join([*TARGETS, *kinds])
        raise WeightsError(f"{label}: a condition by a {stage.name} is not supported; these are: {known}")
    return _valid(kinds[stage.name], stage.params, where)


def _valid(kind: type[M], content: dict[str, Any], where: str) -> M:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([where, *map(str, first["loc"])])
        raise WeightsError(f"{place}: {first['msg']}") from error
