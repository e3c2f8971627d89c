"""Colors as people write them: names of CSS and of the xkcd survey, hex, rgb() and hsl()."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

Color = tuple[float, float, float]
"""Red, green and blue, sRGB in [0, 1]."""

_HEX = re.compile(r"#?(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_FUNCTION = re.compile(r"(rgb|hsl)\(\s*([^)]*)\)", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d{1,4}(\.\d{1,6})?%?")
XKCD = "xkcd:"


def parse_color(text: str) -> Color:
    """The color that a text names.

    CSS names come before names of the xkcd survey; `xkcd:green` asks for the latter.

    Raises:
        ValueError: nobody knows it; says what would work.
    """
    plain = " ".join(text.strip().lower().split())
    if _HEX.fullmatch(plain) and (plain.startswith("#") or plain not in _xkcd()):
        digits = plain.removeprefix("#")
        digits = digits if len(digits) == 6 else "".join(2 * each for each in digits)
        return tuple(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))  # type: ignore[return-value]
    if called := _FUNCTION.fullmatch(plain):
        return _function(text, called[1], called[2])
    name = plain.removeprefix(XKCD).replace("grey", "gray")
    hexes = _xkcd() if plain.startswith(XKCD) else {**_xkcd(), **_css()}
    found = hexes.get(name) or hexes.get(name.replace(" ", ""))
    if found is None:
        close = get_close_matches(name[:60], hexes, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ValueError(
            f"{_shown(text)} is no color{hint}; names of CSS and xkcd, #rrggbb, rgb(255, 0, 0) and hsl(0, 100%, 50%) are"
        )
    return parse_color(found)


def _function(text: str, name: str, inside: str) -> Color:
    import colorsys

    parts = [each for each in re.split(r"[\s,]+", inside.strip()) if each]
    if len(parts) != 3 or not all(_NUMBER.fullmatch(each) for each in parts):
        raise ValueError(f"{_shown(text)}: {name}() takes three numbers")
    if name == "rgb":
        red, green, blue = (
            float(each[:-1]) / 100 if each.endswith("%") else float(each) / 255 for each in parts
        )
        color = red, green, blue
    else:
        if parts[0].endswith("%") or not (parts[1].endswith("%") and parts[2].endswith("%")):
            raise ValueError(f"{_shown(text)}: hsl() takes degrees and two percentages")
        share, light = float(parts[1][:-1]) / 100, float(parts[2][:-1]) / 100
        if not (0 <= share <= 1 and 0 <= light <= 1):
            raise ValueError(f"{_shown(text)}: percentages go from 0% to 100%")
        color = colorsys.hls_to_rgb(float(parts[0]) % 360 / 360, light, share)
    if not all(0 <= each <= 1 for each in color):
        raise ValueError(f"{_shown(text)}: each number goes from 0 to 255")
    return color


@cache
def _css() -> dict[str, str]:
    from PIL import ImageColor

    # Pillow puts a tuple in place of the text when anybody has used a name.
    named = {
        name: value if isinstance(value, str) else "#{:02x}{:02x}{:02x}".format(*value[:3])
        for name, value in ImageColor.colormap.items()
    }
    return {name.replace("grey", "gray"): value for name, value in named.items()}


@cache
def _xkcd() -> dict[str, str]:
    lines = files("pixforge.media").joinpath("xkcd.txt").read_text("utf-8").splitlines()
    pairs = (line.split(" ", 1) for line in lines if not line.startswith("#"))
    return {name.replace("grey", "gray"): f"#{value}" for value, name in pairs}


def _shown(text: str) -> str:
    written = repr(text)
    return written if len(written) <= 40 else written[:37] + "..."
