"""Makes the pictures of docs/vocabulary.md with the embedded models: `python docs/make_gallery.py [PART...]`.

Every picture is made once, with one seed, and none is selected. A part is one sheet, such as `losses`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from safetensors.torch import save_file

import pixforge
from pixforge.engine.build import build
from pixforge.engine.looking import cutouts_of
from pixforge.media.images import to_pil
from pixforge.recipe.layers import VIEWS
from pixforge.search.directions import write_direction
from pixforge.search.perceptors import open_perceptors, recipe_of

HERE = Path(__file__).resolve().parent
TILE, GAP, LINE, COLUMNS = 112, 8, 18, 6
BASE: dict[str, Any] = {
    "prompts": ["a red heart"],
    "seed": 3,
    "size": TILE,
    "steps": 40,
    "init": "noise",
    "generator": {"type": "fourier", "saturation": 1.5},
    "cutouts": {"type": "random", "count": 8},
    "losses": [],
    "exporters": ["still"],
}
PICTURE = str(HERE / "images" / "quickstart.png")
CUTOUTS = ("random", "pooled", "pixray", "aphantasia", "disco", "pytti")
QUALITIES = ("draft", "normal", "better", "best")
SKETCH = str(HERE.parent / "examples" / "sketch.png")
VQGAN: dict[str, Any] = {"generator": "vqgan", "init": "tokens", "steps": 10}

Entries = dict[str, dict[str, Any]]


def loss(kind: str, weight: float = 3, **fields: Any) -> dict[str, Any]:
    """The base with one loss."""
    return {"losses": [{"type": kind, "weight": weight, **fields}]}


def pixels(**fields: Any) -> dict[str, Any]:
    """The base on a grid."""
    return {"generator": {"type": "pixels", **fields}}


def asked(*prompts: str | dict[str, Any]) -> dict[str, Any]:
    """The base with other prompts, and time enough to see them."""
    return {"prompts": list(prompts), "steps": 80, "cutouts": {"type": "random", "count": 16}}


PARTS: dict[str, Entries] = {
    "losses": {
        "none": {},
        "palette": loss("palette", 5, colors="black->red->yellow\\6"),
        "edge": loss("edge", 10, color="navy", width=0.15),
        "gaussian": loss("gaussian", 10, color="gold", spread=0.2),
        "saturation": loss("saturation", 2),
        "saturation -2": loss("saturation", -2),
        "brightness .2": loss("brightness", 5, level=0.2),
        "contrast .4": loss("contrast", 5, level=0.4),
        "range": loss("range", 3),
        "smoothness": loss("smoothness", 15),
        "total_variation": loss("total_variation", 100),
        "detail": loss("detail", 5),
        "symmetry": loss("symmetry", 30),
        "target (mse)": loss("target", 10, image=SKETCH),
        "target (edges)": loss("target", 200, image=SKETCH, distance="edges"),
        "style": loss("style", 1, image=SKETCH),
        "enforce": loss("enforce", 1),
        "expand": loss("expand", 1),
        "aesthetic": loss("aesthetic", 0.2),
        "latent": {
            **VQGAN,
            **loss("latent", 300),
            "optimizer": {"learning_rate": 0.3},
            "prompts": ["a frog"],
        },
        "(without latent)": {**VQGAN, "optimizer": {"learning_rate": 0.3}, "prompts": ["a frog"]},
        "palette_hdr": {
            **loss("palette_hdr", 30),
            "generator": {"type": "palette", "grid": [48, 48]},
            "init": "tokens",
        },
        "opacity .35": {
            **loss("opacity", 3, share=0.35),
            "generator": {"type": "fourier", "alpha": True},
            "steps": 100,
        },
    },
    "filters": {
        "none": VQGAN,
        "grayscale": {**VQGAN, "filters": ["grayscale"]},
        "lookup": {**VQGAN, "filters": [{"type": "lookup", "colors": "navy, crimson, gold, white"}]},
        "lookup, dither": {
            **VQGAN,
            "filters": [{"type": "lookup", "colors": "navy, crimson, gold, white", "dither": "ordered"}],
        },
        "posterize": {**VQGAN, "filters": [{"type": "posterize", "levels": 3}]},
        "1 bit": {
            **VQGAN,
            "filters": [{"type": "posterize", "levels": 2, "gray": True, "dither": "ordered"}],
        },
        "sharpen": {**VQGAN, "filters": [{"type": "sharpen", "amount": 2}]},
        "blur": {"filters": [{"type": "blur", "radius": 3}]},
        "roll (3 x 3)": {"filters": ["roll"]},
        "wallpaper, rim (3 x 3)": {
            "generator": "pixels",
            "filters": [{"type": "rim", "width": 0.2}, "wallpaper"],
        },
    },
    "generators": {
        **{
            each: pixels(grid=[24, 24], cells=each, upsampling="nearest")
            for each in ("square", "brick", "hexagon", "triangle", "diamond", "knit")
        },
        "palette": {"generator": {"type": "palette", "grid": [48, 48]}, "init": "tokens"},
        "palette, 3 given": {
            "generator": {"type": "palette", "colors": "navy, crimson, ivory", "lock": True},
            "init": "tokens",
        },
        "fourier": {"generator": "fourier"},
        "wavelet": {"generator": {"type": "wavelet", "saturation": 1.5}, "steps": 100},
        "wavelet, haar": {"generator": {"type": "wavelet", "wave": "haar", "saturation": 1.5}, "steps": 100},
        "saturation 3": {"generator": {"type": "fourier", "saturation": 3}},
        **{
            f"pattern {each}": {**pixels(), "steps": 0, "init": {"type": "pattern", "pattern": each}}
            for each in ("fractal", "perlin", "gradient", "snow")
        },
    },
    "prompts": {
        "text": asked("a sunflower"),
        "labels": asked({"labels": "sunflower"}),
        "two texts": asked("a sunflower", "a red heart"),
        "text, less yellow": asked("a sunflower", {"text": "yellow", "weight": -0.7}),
        "left and right": asked(
            {"text": "a red heart", "where": "left"}, {"text": "a green frog", "where": "right"}
        ),
        "noise": asked("a sunflower", {"noise": 7, "weight": 0.7}),
        "image": asked({"image": PICTURE}),
        "image, layout": asked({"image": SKETCH, "layout": True}),
        "embedding": asked({"embedding": "owl.safetensors"}),
        "text and direction": asked("a cat face", {"direction": "green.safetensors", "weight": 0.4}),
        "letters": {**VQGAN, **asked("ATM sign")},
        "letters, textoff": {**VQGAN, **asked("ATM sign", {"direction": "textoff", "weight": 1})},
    },
    "cutouts": {each: {"cutouts": {"type": each, "count": 16}, "steps": 60} for each in CUTOUTS},
}


def made(fields: dict[str, Any], folder: Path) -> Image.Image:
    """The picture of an entry."""
    result = pixforge.render(pixforge.load_recipe({**BASE, **fields}), folder)
    return result.images[0]


def sheet(entries: Entries) -> Image.Image:
    """All pictures of a part, each with its name below."""
    rows = -(-len(entries) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * (TILE + GAP) + GAP, rows * (TILE + LINE + GAP) + GAP), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    with tempfile.TemporaryDirectory() as text:
        for index, (name, fields) in enumerate(entries.items()):
            picture = made(fields, Path(text) / str(index))
            if "3 x 3" in name:
                wall = Image.new("RGB", (3 * picture.width, 3 * picture.height))
                for place in range(9):
                    wall.paste(picture, (place % 3 * picture.width, place // 3 * picture.height))
                picture = wall.resize((TILE, TILE), Image.Resampling.LANCZOS)
            left = GAP + index % COLUMNS * (TILE + GAP)
            top = GAP + index // COLUMNS * (TILE + LINE + GAP)
            page.paste(picture, (left, top), picture if picture.mode == "RGBA" else None)
            pen.text((left, top + TILE + 2), name, "black", font)
    return page


def views() -> Image.Image:
    """Six cutouts in the middle of a run for each preset of a view, with its name below."""
    shown, side, across = 6, 64, 2
    rows = -(-len(VIEWS) // across)
    width, height = shown * (side + 2) + GAP, side + LINE + GAP
    page = Image.new("RGB", (across * width + GAP, rows * height + GAP), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for index, name in enumerate(VIEWS):
        base = {
            "prompts": ["a"],
            "seed": 4,
            "size": 256,
            "steps": 100,
            "generator": "pixels",
            "init": "noise",
        }
        extends = ["disco", name] if name in {"watercolor", "pad_or_pulp", "han_fav"} else name
        session = build(pixforge.load_recipe({**base, "extends": extends}))
        (found,) = cutouts_of(session, 45, HERE / "images" / "quickstart.png").values()
        left, top = GAP + index % across * width, GAP + index // across * height
        for place in range(shown):
            cutout = to_pil(
                found[place * len(found) // shown].mul(255).round().byte().permute(1, 2, 0).numpy()
            )
            page.paste(cutout, (left + place * (side + 2), top))
        pen.text((left, top + side + 2), name, "black", font)
    return page


def qualities() -> Image.Image:
    """The default recipe with each quality, at half the size of the largest."""
    side = 256
    page = Image.new("RGB", (len(QUALITIES) * (side + GAP) + GAP, side + LINE + 2 * GAP), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    with tempfile.TemporaryDirectory() as folder:
        for index, name in enumerate(QUALITIES):
            fields = {"prompts": ["an owl"], "seed": 3, "extends": name, "exporters": ["still"]}
            picture = pixforge.render(pixforge.load_recipe(fields), Path(folder) / name).images[0]
            left = GAP + index * (side + GAP)
            page.paste(picture.resize((side, side), Image.Resampling.LANCZOS), (left, GAP))
            pen.text((left, GAP + side + 2), f"{name} ({picture.width} pixels)", "black", font)
    return page


def prompts() -> Image.Image:
    """The kinds of prompts, with the files of vectors that two of them name."""
    (looker,) = open_perceptors(recipe_of("embedded", device="cpu"))
    both = [
        {"text": f"a {color} {thing}", "weight": weight / 6}
        for thing in ("heart", "circle", "apple", "house", "book", "car")
        for color, weight in (("green", 1), ("yellow", -1))
    ]
    with tempfile.TemporaryDirectory() as vectors:
        os.chdir(vectors)
        save_file({"embedded": looker.perceptor.encode_text(["an owl"])[0].clone()}, "owl.safetensors")
        write_direction(None, both, Path("green.safetensors"))
        page = sheet(PARTS["prompts"])
        os.chdir(HERE)
    return page


SHEETS = {
    **{name: partial(sheet, entries) for name, entries in PARTS.items()},
    "prompts": prompts,
    "views": views,
    "qualities": qualities,
}


if __name__ == "__main__":
    for part in sys.argv[1:] or SHEETS:
        SHEETS[part]().save(HERE / "images" / f"vocabulary-{part}.jpg", quality=88)
