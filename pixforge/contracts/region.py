"""Regions: a part of the picture, as `where:` of a prompt, a loss, a filter, an edit, or of what is kept."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from typing_extensions import Self

from pixforge.contracts.config import Config
from pixforge.contracts.paths import RecipePath, RecipeVideo

SIDES = ("left", "right", "top", "bottom", "center")
_SHAPES = ("side", "box", "ellipse", "image", "video", "not", "any")
_HELP = (
    "a region is left, right, top, bottom, center, {box: [x0, y0, x1, y1]}, {ellipse: [x0, y0, x1, y1]}, "
    "{image: mask.png}, {video: masks.mp4}, {not: region}, or a list of regions"
)
_PERCENT = re.compile(r"\d{1,3}(\.\d{1,6})?%")


def _length(value: Any) -> Any:
    if isinstance(value, str):
        if _PERCENT.fullmatch(value.strip()) and float(value.strip()[:-1]) <= 100:
            return value.strip()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise PydanticCustomError(
        "length", "a length is a number of pixels, or a percentage from 0% to 100% in quotes or without"
    )


Length = Annotated[
    float | str,
    BeforeValidator(_length),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,6})?%$"}]}),
]
"""Pixels, or a percentage of the picture's width or height."""
Corners = tuple[Length, Length, Length, Length]


class Region(Config):
    """A part of the picture; exactly one of its shapes is given."""

    side: Literal["left", "right", "top", "bottom", "center"] | None = Field(
        None, description="A half of the picture, or with center its middle half in both directions."
    )
    box: Corners | None = Field(None, description="Left, top, right and bottom, in pixels or percent.")
    ellipse: Corners | None = Field(None, description="The ellipse inside such a box.")
    image: RecipePath | None = Field(
        None,
        description="A mask: white is inside, black outside. Where the file has an alpha channel, that counts.",
    )
    video: RecipeVideo | None = Field(
        None,
        description="In a film, masks that move: an MP4, WebM or GIF; or a picture, for it and all that follow it in its "
        "folder by name.",
    )
    outside: Region | None = Field(None, alias="not", description="Everything but this region.")
    union: list[Region] | None = Field(
        None, alias="any", min_length=1, max_length=100, description="What lies in at least one of these."
    )
    feather: Annotated[float, Field(ge=0, le=4096)] = Field(
        0.0, description="Width in pixels over which the edge fades from inside to outside."
    )

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, str) and value in SIDES:
            return {"side": value}
        if isinstance(value, list):
            return {"any": value}
        if isinstance(value, Region):
            return value
        if not isinstance(value, dict):
            raise PydanticCustomError("region", "{reason}", {"reason": _HELP})
        if sum(name in value for name in _SHAPES) != 1 and not set(value) - {*_SHAPES, "feather"}:
            raise PydanticCustomError(
                "region", "{reason}", {"reason": f"needs exactly one of {', '.join(_SHAPES)}; {_HELP}"}
            )
        return value

    @model_validator(mode="after")
    def _has_an_area(self) -> Self:
        for corners in (self.box, self.ellipse):
            if corners is not None:
                _check_order(corners[0], corners[2], "left", "right")
                _check_order(corners[1], corners[3], "top", "bottom")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        mapping = handler(schema)
        return {"anyOf": [{"enum": list(SIDES)}, {"type": "array", "minItems": 1}, mapping]}

    @property
    def moves(self) -> bool:
        """Whether it is another one in another frame of a film."""
        parts = [*(self.union or ()), *([self.outside] if self.outside is not None else [])]
        return self.video is not None or any(each.moves for each in parts)


def pixels(length: float | str, whole: int) -> float:
    """A length in pixels; percentages are of `whole`."""
    return float(length[:-1]) / 100 * whole if isinstance(length, str) else float(length)


def _check_order(low: float | str, high: float | str, first: str, second: str) -> None:
    # Pixels and percent can be compared only when the size is known; the mask is checked for being empty then.
    comparable = isinstance(low, str) == isinstance(high, str)
    if comparable and pixels(low, 100) >= pixels(high, 100):
        raise ValueError(f"its {first} {low} must be less than its {second} {high}")
