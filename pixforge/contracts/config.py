"""What every component's part of a recipe has in common."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from types import MappingProxyType, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pixforge.errors import ChangeWarning

LARGEST, SMALLEST = 1e30, 1e-30
"""Sizes of numbers with fractions. Runs compute in float32, which ends at 3.4e38 and 1e-45; sums and products need room."""


def check_float(number: float) -> float:
    """Return a number of a recipe with which float32 can compute.

    Raises:
        PydanticCustomError: it is not finite, or too large or small.
    """
    if not math.isfinite(number):
        raise PydanticCustomError("float_size", "expected a finite number")
    if abs(number) > LARGEST:
        raise PydanticCustomError("float_size", f"{number:g} is too large; numbers end at {LARGEST:g}")
    if 0 < abs(number) < SMALLEST:
        raise PydanticCustomError(
            "float_size", f"{number:g} is too close to 0; write 0, or at least {SMALLEST:g}"
        )
    return number


class Config(BaseModel):
    """Base of all configurations: frozen, without unknown fields, numbers finite and of a size for float32.

    A component's own configuration adds `type: Literal["tag"] = "tag"`, and its fields with defaults, bounds and
    `Field(description=...)`, which the schema, the editors and the documentation show.
    """

    model_config = ConfigDict(
        frozen=True,
        defer_build=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        protected_namespaces=(),
    )

    keyed: ClassVar[bool] = False
    """Whether a key names the kind instead of `type`: `{text: a heart}` is `{type: text, text: a heart}`."""
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

    @field_validator("*", mode="after")
    @classmethod
    def _fits_float32(cls, value: Any) -> Any:
        for each in value if isinstance(value, tuple | list) else (value,):
            if isinstance(each, float):
                check_float(each)
        return value


def _is_number(annotation: Any) -> bool:
    """Whether a field holds a number, or a number or nothing."""
    kinds = set(get_args(annotation)) if get_origin(annotation) in {Union, UnionType} else {annotation}
    return bool(kinds & {int, float}) and kinds <= {int, float, type(None)}
