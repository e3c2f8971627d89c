"""A number that may change during a run: a constant, keyframes by step or by percentage, or a curve of a plugin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import ValidationError
from pydantic_core import PydanticCustomError, core_schema

from pixforge.contracts.config import check_float
from pixforge.contracts.curve import Curve
from pixforge.contracts.moment import Moment

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

Ease = Literal["linear", "step", "cosine"]
_EASES = ("linear", "step", "cosine")
_MOST_DIGITS = 12
"""Of a keyframe's moment, with its point."""
_HELP = "a number, or keyframes such as {0: 1.0, 50%: 0.3, ease: cosine}"


@dataclass(frozen=True)
class Keyframe:
    """A value at a moment, which is a step or, if `percent`, a share of the run from 0 to 100."""

    moment: float
    percent: bool
    value: float

    def step(self, steps: int) -> float:
        """The step of this keyframe in a run of `steps` steps; 100% is the last step."""
        return self.moment / 100 * max(steps - 1, 0) if self.percent else self.moment

    @property
    def key(self) -> str:
        """The moment as it is written in a recipe."""
        if not self.percent:
            return f"{self.moment:.0f}"
        digits = f"{Decimal(repr(self.moment)):f}"  # all of them, and without an exponent
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return f"{digits if len(digits) <= _MOST_DIGITS else digits.removeprefix('0')}%"


class Schedule:
    """A constant, keyframes, or a curve. The value is constant before the first keyframe and after the last.

    Args:
        value: a finite number; a mapping of steps (`0`, `200`) and percentages (`"50%"`) to numbers, with an optional
            `ease`: `linear` (default), `step` (hold each value until the next) or `cosine`; or a curve.

    Raises:
        ValueError: the value is none of these.
    """

    __slots__ = ("curve", "ease", "keyframes")

    keyframes: tuple[Keyframe, ...]
    ease: Ease
    curve: Curve[Any] | None

    def __init__(self, value: float | Mapping[Any, Any] | Curve[Any]) -> None:
        self.ease = "linear"
        self.curve = None
        if isinstance(value, Curve):
            self.curve, self.keyframes = value, ()
        elif isinstance(value, Mapping):
            self._read(value)
        else:
            self.keyframes = (Keyframe(0.0, percent=False, value=_number(value)),)

    def _read(self, value: Mapping[Any, Any]) -> None:
        ease = value.get("ease", "linear")
        if ease not in _EASES:
            raise ValueError(f"ease is one of {', '.join(_EASES)}, not {ease!r}")
        self.ease = cast("Ease", ease)
        self.keyframes = tuple(_keyframe(key, number) for key, number in value.items() if key != "ease")
        if not self.keyframes:
            raise ValueError(f"a schedule needs at least one keyframe: {_HELP}")
        keys = [frame.key for frame in self.keyframes]
        if len(set(keys)) < len(keys):
            raise ValueError("a schedule has two keyframes at the same moment")

    @property
    def constant(self) -> float | None:
        """The value if it never changes, otherwise None."""
        if self.curve is not None:
            low, high = self.curve.bounds()
            return low if low == high else None
        values = {frame.value for frame in self.keyframes}
        return values.pop() if len(values) == 1 else None

    @property
    def values(self) -> tuple[float, ...]:
        """The values of the keyframes, or the bounds of the curve; every value lies between the smallest and the largest."""
        if self.curve is not None:
            return self.curve.bounds()
        return tuple(frame.value for frame in self.keyframes)

    def value(self, moment: Moment) -> float:
        """The value at a moment."""
        if self.curve is not None:
            return self.curve.at(moment)
        return self._between(moment.step, moment.steps)

    def _between(self, step: float, steps: int) -> float:
        frames = sorted(self.keyframes, key=lambda frame: frame.step(steps))
        if step < frames[0].step(steps):
            return frames[0].value
        for left, right in pairwise(frames):
            start, end = left.step(steps), right.step(steps)
            if start <= step < end:
                return left.value + (right.value - left.value) * self._eased((step - start) / (end - start))
        return frames[-1].value

    def _eased(self, share: float) -> float:
        if self.ease == "step":
            return 0.0
        return share if self.ease == "linear" else (1 - math.cos(math.pi * share)) / 2

    def plain(self) -> float | dict[Any, Any]:
        """The schedule as it is written in a recipe."""
        if self.curve is not None:
            word = self.curve.config_type.model_fields["type"].default
            fields = self.curve.config.model_dump(mode="json", exclude={"type"}, exclude_none=True)
            return {word: fields.pop(word), **fields}
        if len(self.keyframes) == 1:
            return self.keyframes[0].value
        keys: dict[str | int, float | str] = {
            frame.key if frame.percent else int(frame.moment): frame.value for frame in self.keyframes
        }
        return keys if self.ease == "linear" else {**keys, "ease": self.ease}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        config = None if self.curve is None else self.curve.config
        return self.keyframes, self.ease, type(self.curve), config

    def __repr__(self) -> str:
        return f"Schedule({self.plain()!r})"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validated, serialization=core_schema.plain_serializer_function_ser_schema(Schedule.plain)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "description": "a number, keyframes by step or percentage, or a curve",
            "anyOf": [
                {"type": "number"},
                {
                    "type": "object",
                    "properties": {"ease": {"enum": list(_EASES), "default": "linear"}},
                    "patternProperties": {r"^\d+$|^\d+(\.\d+)?%$": {"type": "number"}},
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ],
        }


@dataclass(frozen=True)
class Range:
    """Bounds for every value of a schedule: `Annotated[Schedule, Range(ge=0)]`."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None

    def check(self, schedule: Schedule) -> Schedule:
        """Return the schedule if all its values are in bounds.

        Raises:
            PydanticCustomError: names the first value that is out of bounds.
        """
        for value in schedule.values:
            if broken := self._broken(value):
                reason = {"reason": f"{value:g} must be {broken}"}
                raise PydanticCustomError("range", "{reason}", reason)
        return schedule

    def _broken(self, value: float) -> str:
        if self.ge is not None and value < self.ge:
            return f"at least {self.ge:g}"
        if self.gt is not None and value <= self.gt:
            return f"greater than {self.gt:g}"
        return f"at most {self.le:g}" if self.le is not None and value > self.le else ""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        bounds = {"minimum": self.ge, "exclusiveMinimum": self.gt, "maximum": self.le}
        number = {"type": "number", **{key: value for key, value in bounds.items() if value is not None}}
        base = handler(schema)
        keyed = base["anyOf"][1]
        frames = dict.fromkeys(keyed["patternProperties"], number)
        return {**base, "anyOf": [number, {**keyed, "patternProperties": frames}]}


def _validated(value: Any, info: core_schema.ValidationInfo) -> Schedule:
    if isinstance(value, Schedule):
        return value
    known = info.context or {}
    curves: Mapping[str, type[Curve[Any]]] = known.get("curves", {})
    try:
        if isinstance(value, Mapping) and (words := [key for key in value if key in curves]):
            return Schedule(_curve(words[0], value, curves[words[0]], known))
        return Schedule(value)
    except PydanticCustomError:  # a curve that was found, and says what is wrong
        raise
    except ValueError as error:
        hint = f"; or a curve ({', '.join(sorted(curves))})" if curves and isinstance(value, Mapping) else ""
        raise PydanticCustomError("schedule", "{reason}", {"reason": f"{error}{hint}"}) from None


def _curve(
    word: str, value: Mapping[Any, Any], component: type[Curve[Any]], known: Mapping[str, Any]
) -> Curve[Any]:
    """The curve of a mapping.

    Raises:
        PydanticCustomError: one of its fields is wrong, or its file is.
    """
    try:
        config = component.config_type.model_validate({"type": word, **value}, context=dict(known))
        return component(config, known["folder"])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            fields = ", ".join(name for name in component.config_type.model_fields if name != "type")
            reason = f"there is no such field (fields: {fields})"
        message = f"curve '{word}': {where}: {reason}" if where else f"curve '{word}': {reason}"
    except ValueError as error:
        message = f"curve '{word}': {error}"
    raise PydanticCustomError("schedule", "{reason}", {"reason": message})


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected {_HELP}, not {_shown(value)}")  # noqa: TRY004 - pydantic reports ValueError
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    return check_float(number)


def _keyframe(key: Any, value: Any) -> Keyframe:
    text = str(key).strip()
    percent = text.endswith("%")
    digits = text.removesuffix("%").strip()
    plain = digits.replace(".", "", 1) if percent else digits
    if isinstance(key, bool) or not (plain.isascii() and plain.isdigit()) or len(digits) > _MOST_DIGITS:
        raise ValueError(f"{_shown(key)} is not a step (0, 200) or a percentage (50%)")
    moment = float(digits)
    if percent and moment > 100:
        raise ValueError(f"{text} is beyond the end of the run; percentages go from 0% to 100%")
    return Keyframe(moment, percent, _number(value))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
