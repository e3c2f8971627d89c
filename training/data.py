"""Render the open emoji styles to one array, with names, keywords and groups from Unicode's CLDR.

Usage: `python training/data.py --modules training/node_modules --out training/work/data.npz`
and, for the VQGAN, which also looks at parts of pictures: `... --size 192 --out training/work/large.npz`
"""

from __future__ import annotations

import argparse
import io
import json
import re
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = 96
LARGE = 192
VECTOR_STYLES = ("noto", "noto-v1", "fluent-emoji", "fluent-emoji-flat", "fxemoji", "emojione", "twemoji")
BITMAP_STYLE = "fluent-emoji-3d"
STYLES = (*VECTOR_STYLES, BITMAP_STYLE)
COMPONENT_GROUP = 2


@dataclass(frozen=True)
class Emoji:
    """One CLDR entry: what it is called, what people search it by, and how packages spell it."""

    name: str
    keywords: tuple[str, ...]
    group: str
    subgroup: str
    code: str
    aliases: tuple[str, ...]


def read_json(path: Path) -> Any:
    """Parse a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def slug(text: str) -> str:
    """Iconify's spelling of a name: lower case, hyphens, no punctuation."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"[&'’.]", "", text.lower())).strip("-")  # noqa: RUF001


def squeeze(text: str) -> str:
    """A spelling without separators, which is how FxEmojis names its files."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def read_emoji(modules: Path) -> list[Emoji]:
    """All CLDR names but country flags, skin tones and bare components, in CLDR order."""
    base = modules / "emojibase-data"
    meta = read_json(base / "meta/groups.json")
    unicode_names = read_json(base / "meta/unicode-names.json")
    shortcodes = [
        read_json(base / f"en/shortcodes/{n}.json") for n in ("emojibase", "github", "joypixels", "iamcal")
    ]
    found = []
    for entry in read_json(base / "en/data.json"):
        group = entry.get("group")
        if group in (None, COMPONENT_GROUP) or entry["label"].startswith("flag: "):
            continue
        code = entry["hexcode"]
        aliases = [unicode_names.get(code, unicode_names.get(code.replace("-FE0F", ""), ""))]
        for table in shortcodes:
            value = table.get(code, [])
            aliases += [value] if isinstance(value, str) else value
        found.append(
            Emoji(
                name=entry["label"],
                keywords=tuple(entry.get("tags", ())),
                group=meta["groups"][str(group)],
                subgroup=meta["subgroups"][str(entry["subgroup"])],
                code=code.lower(),
                aliases=tuple(a for a in aliases if a),
            )
        )
    return found


def other_names(emoji: Emoji) -> list[str]:
    """Shortcodes and Unicode's own name as plain words, where they are not misleading."""
    plain = {re.sub(r"[^a-z0-9]+", " ", a.lower()).strip() for a in emoji.aliases}
    # Unicode's BLACK and WHITE mean filled and outlined: "heavy black heart" is red.
    misleading = re.compile(r"\b(black|white|heavy|negative)\b")
    kept = {p for p in plain if misleading.search(emoji.name) or not misleading.search(p)}
    return sorted(p for p in kept if len(p) > 2 and p != emoji.name)


class IconSet:
    """One Iconify package: finds an emoji's drawing by code point or by name."""

    def __init__(self, folder: Path) -> None:
        self.icons = read_json(folder / "icons.json")
        chars = folder / "chars.json"
        self.chars: dict[str, str] = read_json(chars) if chars.exists() else {}
        known = [*self.icons["icons"], *self.icons.get("aliases", {})]
        self.squeezed = {squeeze(k): k for k in known if "skin-tone" not in k}
        self.known = set(known)

    def find(self, emoji: Emoji) -> str | None:
        """The icon's key, or None where the package lacks it."""
        for code in (emoji.code, emoji.code.replace("-fe0f", "")):
            if code in self.chars:
                return self.chars[code]
        if slug(emoji.name) in self.known:
            return slug(emoji.name)
        spellings = (emoji.name, *emoji.aliases)
        return next((self.squeezed[squeeze(s)] for s in spellings if squeeze(s) in self.squeezed), None)

    def svg(self, key: str) -> str:
        """The SVG text of an icon, following aliases to their parent."""
        while key not in self.icons["icons"]:
            key = self.icons["aliases"][key]["parent"]
        icon = self.icons["icons"][key]
        box = [
            icon.get(k, self.icons.get(k, d))
            for k, d in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
        ]
        view = " ".join(str(b) for b in box)
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{view}">{icon["body"]}</svg>'
        )


def render_svg(text: str, side: int) -> bytes:
    """A drawing as a PNG. Small ones at twice the size, to be reduced with Lanczos: finer than the rasterizer's own edges."""
    import resvg_py

    width = 2 * side if side <= SIZE else side
    png: bytes = resvg_py.svg_to_bytes(svg_string=text, width=width, skip_system_fonts=True)
    return png


def fit(picture: Image.Image, side: int) -> NDArray[np.uint8]:
    """Centre a picture on a square and premultiply its alpha: (side, side, 4)."""
    picture = picture.convert("RGBA")
    factor = side / max(picture.size)
    picture = picture.resize(
        (round(picture.width * factor), round(picture.height * factor)), Image.Resampling.LANCZOS
    )
    canvas = Image.new("RGBA", (side, side))
    canvas.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    # Premultiplied, so that warps and blurs never drag in the color of invisible pixels.
    return np.asarray(canvas.convert("RGBa"))


def render_style(
    modules: Path, style: str, emoji: list[Emoji], side: int
) -> list[tuple[int, NDArray[np.uint8]]]:
    """All pictures of one style as (index of the name, picture)."""
    pictures = []
    icons = IconSet(modules / "@iconify-json" / style) if style != BITMAP_STYLE else None
    folder = modules / "@lobehub/fluent-emoji-3d/assets"
    # Variation selectors are spelled inconsistently, so both sides go without.
    bitmaps = {p.stem.replace("-fe0f", ""): p for p in folder.glob("*.webp")}
    for index, entry in enumerate(emoji):
        source: io.BytesIO | Path | None = None
        if icons is None:
            source = bitmaps.get(entry.code.replace("-fe0f", ""))
        elif key := icons.find(entry):
            source = io.BytesIO(render_svg(icons.svg(key), side))
        if source is not None:
            with Image.open(source) as picture:
                pictures.append((index, fit(picture, side)))
    return pictures


def main() -> None:
    """Render everything and write one compressed archive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", type=Path, default=Path("training/node_modules"))
    parser.add_argument("--out", type=Path, default=Path("training/work/data.npz"))
    parser.add_argument(
        "--size", type=int, default=SIZE, help=f"side of the pictures; train_vqgan.py wants {LARGE}"
    )
    options = parser.parse_args()
    emoji = read_emoji(options.modules)
    pictures, labels, styles = [], [], []
    render = partial(render_style, options.modules, emoji=emoji, side=options.size)
    with Pool() as pool:
        found = pool.map(render, STYLES, chunksize=1)
    for number, (style, rendered) in enumerate(zip(STYLES, found, strict=True)):
        print(f"{style}: {len(rendered)} of {len(emoji)}", flush=True)
        for index, picture in rendered:
            pictures.append(picture)
            labels.append(index)
            styles.append(number)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    words = [
        {
            "name": e.name,
            "other_names": other_names(e),
            "keywords": e.keywords,
            "group": e.group,
            "subgroup": e.subgroup,
        }
        for e in emoji
    ]
    np.savez(
        options.out,
        pictures=np.stack(pictures),
        labels=np.array(labels, np.int64),
        styles=np.array(styles, np.int64),
        words=np.array(json.dumps(words)),
    )


if __name__ == "__main__":
    main()
