"""What every component's part of a recipe has in common."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import MappingProxyType, UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pixforge.contracts.schedule import Range, Schedule
from pixforge.errors import ChangeWarning


class Config(BaseModel):
    """Base of all configurations: frozen, without unknown fields, numbers finite.

    A component's own configuration adds `type: Literal["tag"] = "tag"`, and its fields with defaults, bounds and
    `Field(description=...)`, which the schema, the editors and the documentation show.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True, protected_namespaces=()
    )

    renamed: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Former names of fields and what they are called now; a recipe with a former name works, and warns."""

    @model_validator(mode="before")
    @classmethod
    def _former_names(cls, value: Any) -> Any:
        former = cls.renamed.keys() & value.keys() if cls.renamed and isinstance(value, Mapping) else ()
        for name in former:
            now = cls.renamed[name]
            if now in value:
                raise PydanticCustomError(
                    "renamed", "has both {a} and {b}, its former name", {"a": now, "b": name}
                )
            word = cls.model_fields["type"].default if "type" in cls.model_fields else cls.__name__
            warnings.warn(f"{word}: '{name}' is now called '{now}'", ChangeWarning, stacklevel=2)
        return {cls.renamed.get(key, key): each for key, each in value.items()} if former else value

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_not_one(cls, value: Any, info: ValidationInfo) -> Any:
        # Pydantic takes true for 1 where a number is expected.
        if isinstance(value, bool) and _is_number(cls.model_fields[info.field_name or ""].annotation):
            raise PydanticCustomError("number", "must be a number, not true or false")
        return value


class LossConfig(Config):
    """A loss has a weight beside the prompt term, which as a whole has weight 1."""

    weight: Schedule = Field(Schedule(1.0), description="Weight beside the prompt term, which has 1.")


class PerceptorConfig(Config):
    """A perceptor's weight is relative to the other perceptors'."""

    weight: Annotated[Schedule, Range(ge=0)] = Field(
        Schedule(1.0), description="Weight relative to the other perceptors."
    )


def _is_number(annotation: Any) -> bool:
    """Whether a field holds a number, or a number or nothing."""
    kinds = set(get_args(annotation)) if get_origin(annotation) in {Union, UnionType} else {annotation}
    return bool(kinds & {int, float}) and kinds <= {int, float, type(None)}
