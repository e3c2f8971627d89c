"""Makes the pictures of docs/from-clip-to-dalle-2.md, each from the recipe above it: `python docs/make_systems.py [NAME...]`.

A name is that of a picture, such as `clip`. None is selected. The last recipes need pixforge-unclip.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

import pixforge

HERE = Path(__file__).parent
PAGE = HERE / "from-clip-to-dalle-2.md"
FOUND = re.compile(
    r"^```yaml\n(.*?)^```\s+!\[[^\]]*\]\(images/systems-(\w+)\.jpg\)", re.MULTILINE | re.DOTALL
)
TILE, GAP = 160, 8
VARIED: dict[str, tuple[str, list[Any]]] = {
    "between": ("init.share", [0, 0.25, 0.5, 0.75, 1]),
    "begin": ("prompts", [["a red heart"], ["a red apple"], ["an ice cream"]]),
}
"""Pictures of several runs: which field has which values."""


def pictures(name: str, recipe: dict[str, Any], folder: Path) -> list[list[Image.Image]]:
    """All canvases of the run, or of one run for each value."""
    field, values = VARIED.get(name, ("seed", [recipe["seed"]]))
    found = []
    for number, value in enumerate(values):
        data = {**recipe, "exporters": ["still"]}
        made = pixforge.render(
            pixforge.load_recipe(data, overrides={field: value}), folder / f"{name}-{number}"
        )
        given = made.recipe.init.begin if name == "begin" else None
        found.append([*([] if given is None else [Image.open(HERE / given)]), *made.images])
    return found


def sheet(runs: list[list[Image.Image]]) -> Image.Image:
    """A row for each run, or all side by side where each has one picture."""
    rows = [[image for run in runs for image in run]] if len(runs[0]) == 1 else runs
    page = Image.new("RGB", (len(rows[0]) * (TILE + GAP) + GAP, len(rows) * (TILE + GAP) + GAP), "white")
    for line, images in enumerate(rows):
        for index, image in enumerate(images):
            shown = image.convert("RGB").resize((TILE, TILE), Image.Resampling.LANCZOS)
            page.paste(shown, (GAP + index * (TILE + GAP), GAP + line * (TILE + GAP)))
    return page


if __name__ == "__main__":
    os.chdir(HERE)  # pictures in the recipes are named from the page
    with tempfile.TemporaryDirectory() as text:
        for code, each in FOUND.findall(PAGE.read_text(encoding="utf-8")):
            if not sys.argv[1:] or each in sys.argv[1:]:
                made = pictures(each, yaml.safe_load(code), Path(text))
                sheet(made).save(HERE / "images" / f"systems-{each}.jpg", quality=85)
