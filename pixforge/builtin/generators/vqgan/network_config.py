"""Read the part of a taming-transformers YAML file that describes a VQGAN."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from pixforge.errors import WeightsError
from pixforge.ordinary_files import read_ordinary

MAX_BYTES = 1 << 20
TARGETS = {"VQModel": False, "VQNoDiscModel": False, "VQSegmentationModel": False, "GumbelVQ": True}
TRANSFORMER = "Net2NetTransformer"

Count = Annotated[int, Field(ge=1, le=1 << 20)]
Width = Annotated[int, Field(ge=1, le=8192)]


class DDConfig(BaseModel):
    """The arguments of taming's `Encoder` and `Decoder`, by their names there."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    double_z: bool = False
    z_channels: Width
    resolution: Annotated[int, Field(ge=8, le=8192)]
    in_channels: Annotated[int, Field(ge=1, le=1024)] = 3
    out_ch: Annotated[int, Field(ge=1, le=1024)] = 3
    ch: Annotated[int, Field(ge=32, le=1024, multiple_of=32)]
    ch_mult: Annotated[list[Annotated[int, Field(ge=1, le=64)]], Field(min_length=1, max_length=8)]
    num_res_blocks: Annotated[int, Field(ge=1, le=16)]
    attn_resolutions: Annotated[list[int], Field(max_length=16)] = []
    dropout: float = 0.0
    num_groups: Literal[1, 2, 4, 8, 16, 32] = 32
    """Groups of the group normalization: always 32 in taming; smaller numbers are pixforge's, for narrow networks."""

    @model_validator(mode="after")
    def _of_a_size(self) -> Self:
        if self.ch * max(self.ch_mult) > 8192:
            raise ValueError(f"ch times ch_mult is {self.ch * max(self.ch_mult)}; 8192 is the most")
        return self


class VqganConfig(BaseModel):
    """The parameters of a VQGAN, named as in taming; `gumbel` is true for its class `GumbelVQ`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    ddconfig: DDConfig
    n_embed: Count
    embed_dim: Width
    gumbel: bool = False
    legacy: bool = True
    unknown_index: int | Literal["random", "extra"] = "random"

    @property
    def factor(self) -> int:
        """f: the side in pixels of the square that one code stands for."""
        return int(2 ** (len(self.ddconfig.ch_mult) - 1))


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a YAML mapping from an untrusted file.

    Raises:
        WeightsError: the file is missing, too large, or not a YAML mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(read_ordinary(file, MAX_BYTES).decode("utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        reason = str(error).split("\n", 1)[0]
        raise WeightsError(f"{file} cannot be read as a YAML configuration: {reason}") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{file} is no configuration of taming-transformers: it should have `model:`")
    return content


def model_part(content: dict[str, Any], label: str) -> tuple[str, dict[str, Any]]:
    """The model's class name and parameters from a configuration.

    Raises:
        WeightsError: the configuration lacks one of them.
    """
    model = content.get("model", content)
    target, params = (model.get("target"), model.get("params")) if isinstance(model, dict) else (None, None)
    if not isinstance(target, str) or not isinstance(params, dict):
        raise WeightsError(
            f"{label} is no configuration of taming-transformers: it lacks model.target or model.params"
        )
    return target.rsplit(".", 1)[-1], params


def parse_config(content: dict[str, Any], label: str) -> VqganConfig:
    """The VQGAN that a configuration describes; for a Net2NetTransformer, that of its first stage.

    Raises:
        WeightsError: it describes another kind of model, or a value is missing or out of range.
    """
    name, params = model_part(content, label)
    if name == TRANSFORMER:
        return parse_config({"model": params.get("first_stage_config")}, f"{label} (first stage)")
    if name not in TARGETS:
        known = ", ".join([*TARGETS, TRANSFORMER])
        raise WeightsError(f"{label} is of a {name}, which is no VQGAN; these are: {known}")
    try:
        return VqganConfig.model_validate({**params, "gumbel": TARGETS[name]})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise WeightsError(f"{label}: model.params.{where}: {first['msg']}") from error
