"""Palettes: a few colors, as a recipe may write them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from typing_extensions import Self

from pixforge.contracts.config import Config
from pixforge.contracts.paths import RecipePath
from pixforge.errors import InputError
from pixforge.media.color_names import Color, parse_color

if TYPE_CHECKING:
    import torch

_FILES = (".act", ".gpl", ".ase", ".hex", ".pal")
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm")
_SHAPES = ("colors", "file", "image", "palettes")
_HELP = (
    "a palette is a color (red, '#ff8800'), a list of them, a ramp such as black->red->yellow\\16, "
    "{file: colors.gpl}, {image: photo.png, count: 8}, or a list of palettes"
)
LIMIT = 1024
_RAMP = 16
"""Colors of a ramp that does not say how many."""
_APART = re.compile(r"[;,](?![^(]*\))")
"""What parts colors in a text, but not inside of rgb(...)."""


class Palette(Config):
    """Some colors; exactly one of its shapes is given."""

    colors: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        max_length=LIMIT,
        description="Names of CSS and of xkcd, #rrggbb, rgb(), hsl(), and ramps such as black->red->yellow\\16.",
    )
    file: RecipePath | None = Field(None, description="A palette file: .act, .gpl, .ase, .hex or .pal.")
    image: RecipePath | None = Field(None, description="A picture whose main colors are taken.")
    count: int = Field(8, ge=1, le=256, strict=True, description="How many colors of `image`.")
    palettes: list[Palette] | None = Field(
        None, min_length=1, max_length=100, description="The colors of all of these."
    )

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, Palette):
            return value
        if isinstance(value, str):
            return _of_text(value)
        if isinstance(value, list | tuple):
            plain = all(isinstance(each, str) and not _is_file(each) for each in value)
            return {"colors": value} if plain else {"palettes": value}
        if not isinstance(value, dict):
            raise PydanticCustomError("palette", "{reason}", {"reason": _HELP})
        if sum(value.get(name) is not None for name in _SHAPES) != 1 and not set(value) - {*_SHAPES, "count"}:
            reason = f"needs exactly one of {', '.join(_SHAPES)}; {_HELP}"
            raise PydanticCustomError("palette", "{reason}", {"reason": reason})
        return value

    @field_validator("colors")
    @classmethod
    def _known(cls, colors: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for each in colors or ():
            expand(each)
        return colors

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if sum(len(expand(each)) for each in self.colors or ()) > LIMIT:
            raise ValueError(f"has more than {LIMIT} colors")
        return self

    def rgb(self, folder: Path) -> list[Color]:
        """Its colors, each once, in order; `folder` is where relative paths start.

        Raises:
            ImageError: a file cannot be read.
            InputError: there are more than 1024.
        """
        found = list(dict.fromkeys(self._all(folder)))
        if len(found) > LIMIT:
            raise InputError(f"a palette has {len(found)} colors, the limit is {LIMIT}")
        return found

    def tensor(self, folder: Path, device: torch.device | str = "cpu") -> torch.Tensor:
        """Its colors as `[n, 3]`, float32 sRGB in [0, 1].

        Raises:
            InputError: as `rgb`.
        """
        import torch

        return torch.tensor(self.rgb(folder), dtype=torch.float32).to(device)

    def _all(self, folder: Path) -> list[Color]:
        from pixforge.media.palettes import palette_of_picture, read_palette_file

        if self.colors is not None:
            return [color for each in self.colors for color in expand(each)]
        if self.file is not None:
            return read_palette_file(folder / self.file)
        if self.image is not None:
            return palette_of_picture(folder / self.image, self.count)
        return [color for each in self.palettes or () for color in each.rgb(folder)]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        mapping = handler(schema)
        return {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1}, mapping]}


def expand(text: str) -> list[Color]:
    r"""The colors of one color or of a ramp.

    `black->red->yellow\16` is 16 colors at even distances along the way, in sRGB.

    Raises:
        ValueError: a color or the number is wrong.
    """
    way, slash, number = text.partition("\\")
    stops = [parse_color(each) for each in way.split("->")]
    if not slash and len(stops) == 1:
        return stops
    if slash and not (
        re.fullmatch(r"\s*\d{1,4}\s*", number) and 2 <= int(number) <= LIMIT and len(stops) > 1
    ):
        raise ValueError(f"{text[:60]!r}: a ramp is like black->white\\16, with 2 to {LIMIT} colors")
    count = int(number) if slash else _RAMP
    return [_between(stops, index * (len(stops) - 1) / (count - 1)) for index in range(count)]


def _between(stops: list[Color], place: float) -> Color:
    left = min(int(place), len(stops) - 2)
    share = place - left
    red, green, blue = (a + (b - a) * share for a, b in zip(stops[left], stops[left + 1], strict=True))
    return red, green, blue


def _of_text(text: str) -> dict[str, Any]:
    parts = [part.strip() for part in _APART.split(text.strip().removeprefix("[").removesuffix("]"))]
    if any(_is_file(part) for part in parts):
        each = [_of_file(part) if _is_file(part) else {"colors": [part]} for part in parts]
        return each[0] if len(each) == 1 else {"palettes": each}
    return {"colors": [part for part in parts if part] or [text]}


def _is_file(text: str) -> bool:
    return text.lower().endswith((*_FILES, *_PICTURES))


def _of_file(text: str) -> dict[str, Any]:
    return {"file" if text.lower().endswith(_FILES) else "image": text}
