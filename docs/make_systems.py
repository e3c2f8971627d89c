"""Makes the pictures of docs/from-clip-to-dalle-2.md, each from the recipe above it: `python docs/make_systems.py [NAME...]`.

A name is that of a picture, such as `clip`. None is selected. The last recipes need pixforge-unclip.
"""

from __future__ import annotations

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
VARIED: dict[str, tuple[str, list[Any]]] = {"between": ("init.share", [0, 0.25, 0.5, 0.75, 1])}
"""Pictures of several runs: which field has which values."""


def pictures(name: str, recipe: dict[str, Any], folder: Path) -> list[Image.Image]:
    """All canvases of the run, or of one run for each value."""
    field, values = VARIED.get(name, ("seed", [recipe["seed"]]))
    found = []
    for number, value in enumerate(values):
        data = {**recipe, "exporters": ["still"]}
        made = pixforge.render(
            pixforge.load_recipe(data, overrides={field: value}), folder / f"{name}-{number}"
        )
        found += made.images
    return found


def row(images: list[Image.Image]) -> Image.Image:
    """Side by side."""
    page = Image.new("RGB", (len(images) * (TILE + GAP) + GAP, TILE + 2 * GAP), "white")
    for index, image in enumerate(images):
        shown = image.convert("RGB").resize((TILE, TILE), Image.Resampling.LANCZOS)
        page.paste(shown, (GAP + index * (TILE + GAP), GAP))
    return page


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as text:
        for code, each in FOUND.findall(PAGE.read_text(encoding="utf-8")):
            if not sys.argv[1:] or each in sys.argv[1:]:
                made = pictures(each, yaml.safe_load(code), Path(text))
                row(made).save(HERE / "images" / f"systems-{each}.jpg", quality=88)
