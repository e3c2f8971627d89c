"""Render openly licensed icons of things that can be drawn, with names merged with those of the emoji.

Usage, after data.py: `python training/icons.py --modules training/node_modules --out training/work/icons.npz`

The list of names starts with the emoji's, in the order of data.py, so that both archives' labels agree.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import Counter
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
from data import SIZE, STYLES, IconSet, fit, read_json, render_svg
from icon_names import ALL_STYLES, LICENCES, PERMISSIVE, collect
from numpy.typing import NDArray
from PIL import Image, ImageDraw

HALF = 128


def check_licences(modules: Path) -> None:
    """Refuse a package whose own licence is another than the one that was checked."""
    for each, licence in LICENCES.items():
        found = read_json(modules / "@iconify-json" / each / "info.json")["license"]["spdx"]
        if found != licence or licence not in PERMISSIVE:
            raise SystemExit(f"{each}: its licence is {found}, not {licence}; leave it out or check it again")


def enclosed(alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """255 where lines (side, side) enclose paper, else 0."""
    # A copy: an image of an array shares its memory, and cannot be drawn on.
    lines = Image.fromarray(np.pad(np.where(alpha < HALF, 0, 255).astype(np.uint8), 1)).copy()
    ImageDraw.floodfill(lines, (0, 0), 255)
    return np.where(np.asarray(lines)[1:-1, 1:-1] == 0, 255, 0).astype(np.uint8)


def ink_and_body(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A one-color drawing (side, side, 4) as ink, nothing, nothing, and ink with all that it encloses: see compose.paint."""
    ink = picture[..., 3]
    nothing = np.zeros_like(ink)
    return np.stack((ink, nothing, nothing, np.maximum(ink, enclosed(ink))), -1)


def draw(icons: IconSet, key: str, side: int) -> NDArray[np.uint8] | None:
    """One icon (side, side, 4), premultiplied, or None where nothing is to be seen."""
    png = render_svg(icons.svg(key).replace("currentColor", "#000"), side)
    with Image.open(io.BytesIO(png)) as picture:
        found = fit(picture, side)
    return found if found[..., 3].mean() > 4 else None


def render_set(
    modules: Path, side: int, job: tuple[str, list[tuple[int, str]]]
) -> list[tuple[int, bool, Any]]:
    """The drawings of one set as (label, whether it has one color only, picture)."""
    style, wanted = job
    icons = IconSet(modules / "@iconify-json" / style)
    found = []
    for label, key in wanted:
        picture = draw(icons, key, side)
        if picture is not None:
            one_color = not picture[..., :3].any()
            found.append((label, one_color, ink_and_body(picture) if one_color else picture))
    return found


def main() -> None:
    """Render everything and write one archive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", type=Path, default=Path("training/node_modules"))
    parser.add_argument("--out", type=Path, default=Path("training/work/icons.npz"))
    parser.add_argument("--size", type=int, default=SIZE)
    options = parser.parse_args()
    check_licences(options.modules)
    names = collect(options.modules)
    jobs: dict[str, list[tuple[int, str]]] = {style: [] for style in LICENCES}
    for label, each in enumerate(names):
        for style, key in each.drawings:
            jobs[style].append((label, key))
    with Pool() as pool:
        rendered = pool.map(partial(render_set, options.modules, options.size), jobs.items(), chunksize=1)
    rows = [(len(STYLES) + number, *each) for number, found in enumerate(rendered) for each in found]
    for style, number in Counter(style for style, *_ in rows).items():
        print(f"{ALL_STYLES[style]}: {number}")
    print(f"{len(names)} names, {len(rows)} drawings")
    words = [{key: value for key, value in vars(each).items() if key != "drawings"} for each in names]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        options.out,
        pictures=np.stack([picture for *_, picture in rows]),
        labels=np.array([label for _, label, _, _ in rows], np.int64),
        styles=np.array([style for style, *_ in rows], np.int64),
        one_color=np.array([one for _, _, one, _ in rows]),
        words=np.array(json.dumps(words)),
    )


if __name__ == "__main__":
    main()
