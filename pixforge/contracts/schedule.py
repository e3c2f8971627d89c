"""A number that may change during a run: a constant, or keyframes by step or by percentage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic_core import PydanticCustomError, core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

Ease = Literal["linear", "step", "cosine"]
_EASES = ("linear", "step", "cosine")
_HELP = "a number, or keyframes such as {0: 1.0, 50%: 0.3, ease: cosine}"


@dataclass(frozen=True)
class Keyframe:
    """A value at a moment: a step, or (with `percent`) a share of the run from 0 to 100."""

    moment: float
    percent: bool
    value: float

    def step(self, steps: int) -> float:
        """The step at which it holds in a run of `steps`; 100% is the last step."""
        return self.moment / 100 * max(steps - 1, 0) if self.percent else self.moment

    @property
    def key(self) -> str:
        """As written in a recipe."""
        return f"{self.moment:g}%" if self.percent else f"{self.moment:g}"


class Schedule:
    """A constant or a curve through keyframes; before the first and after the last it stays level.

    Args:
        value: a finite number, or a mapping of steps (`0`, `200`) and percentages (`"50%"`) to numbers, with an
            optional `ease`: `linear` (default), `step` (hold each value until the next) or `cosine`.

    Raises:
        ValueError: the value is neither.
    """

    __slots__ = ("ease", "keyframes")

    keyframes: tuple[Keyframe, ...]
    ease: Ease

    def __init__(self, value: float | Mapping[Any, Any]) -> None:
        self.ease = "linear"
        if isinstance(value, Mapping):
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
        """The value when it never changes, else None."""
        values = {frame.value for frame in self.keyframes}
        return values.pop() if len(values) == 1 else None

    @property
    def values(self) -> tuple[float, ...]:
        """The values of the keyframes; every value of the curve lies between the smallest and the largest."""
        return tuple(frame.value for frame in self.keyframes)

    def at(self, step: int, steps: int) -> float:
        """The value at a step (from 0) of a run of `steps`."""
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

    def plain(self) -> float | dict[str | int, float | str]:
        """As a recipe writes it."""
        if len(self.keyframes) == 1:
            return self.keyframes[0].value
        keys: dict[str | int, float | str] = {
            frame.key if frame.percent else int(frame.moment): frame.value for frame in self.keyframes
        }
        return keys if self.ease == "linear" else {**keys, "ease": self.ease}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and (self.keyframes, self.ease) == (other.keyframes, other.ease)

    def __hash__(self) -> int:
        return hash((self.keyframes, self.ease))

    def __repr__(self) -> str:
        return f"Schedule({self.plain()!r})"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _validated, serialization=core_schema.plain_serializer_function_ser_schema(Schedule.plain)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "description": "a number, or keyframes by step or percentage",
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
        """Return the schedule, or raise a pydantic error that names the first value out of bounds."""
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


def _validated(value: Any) -> Schedule:
    if isinstance(value, Schedule):
        return value
    try:
        return Schedule(value)
    except ValueError as error:
        raise PydanticCustomError("schedule", "{reason}", {"reason": str(error)}) from None


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected {_HELP}, not {_shown(value)}")  # noqa: TRY004 - pydantic reports ValueError
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    return number


def _keyframe(key: Any, value: Any) -> Keyframe:
    text = str(key).strip()
    percent = text.endswith("%")
    digits = text.removesuffix("%").strip()
    plain = digits.replace(".", "", 1) if percent else digits
    if isinstance(key, bool) or not (plain.isascii() and plain.isdigit()) or len(digits) > 12:
        raise ValueError(f"{_shown(key)} is not a step (0, 200) or a percentage (50%)")
    moment = float(digits)
    if percent and moment > 100:
        raise ValueError(f"{text} is beyond the end of the run; percentages go from 0% to 100%")
    return Keyframe(moment, percent, _number(value))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
