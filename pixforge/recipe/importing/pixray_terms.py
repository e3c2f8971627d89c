"""Pixray's losses and filters, and when its learning rate falls."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from pixforge.contracts import Palette
from pixforge.recipe.importing.work import Work, listed

_TABLE = [
    "#000000", "#ffffff", "#3f2832", "#262b44", "#5a6988", "#8b9bb4", "#193c3e", "#265c42", "#3e8948", "#63c74d",
    "#fee761", "#feae34", "#f77622", "#b86f50", "#743f39",
]  # fmt: skip
"""The colors of its filter `lookup` when there is no `palette`."""
_DROPS = "write optimizer.learning_rate with keyframes, such as {0: 0.1, 80%: 0.01, ease: step}"
_REASONS = {
    "aesthetic": "needs its head as a file, {type: aesthetic, head: ava_vit_b_16_linear.pth}, and the perceptor ViT-B-16",
    "palette": "needs colors; there `palette` says which",
    "style": "needs the picture of the style: {type: style, image: painting.jpg}",
    "resmem": "is memorability; the loss `network` takes its network as an ONNX file",
}


def losses_and_filters(work: Work) -> None:
    """Those of `custom_loss` and `filters`; they share the colors of `palette`."""
    said = work.take("palette")
    colors = said if isinstance(said, str) and _is_palette(said) else None
    losses = _losses(work, listed(work.take("custom_loss"), ","), colors)
    filters = _filters(work, listed(work.take("filters"), ","), colors)
    work.put("losses", losses)
    work.put("filters", filters or None)
    if said is not None and not any("colors" in each for each in [*losses, *filters]):
        work.note(
            "palette", said, "belongs to the loss palette and the filter lookup, whose `colors` it becomes"
        )


def _losses(work: Work, names: list[str], colors: str | None) -> list[dict[str, Any]]:
    """With the weights that they have there: `palette` counts every tenth cutout, `saturation` a tenth."""
    found = []
    for said in names:
        name, _, times = (part.strip() for part in said.partition(":"))
        factor = float(times) if re.fullmatch(r"-?\d{1,4}(\.\d{1,6})?", times) else 1.0
        weight = work.number(f"{name}_weight", low=-1000, high=1000)
        whole = factor * (1.0 if weight is None else weight)
        made = _loss(work, name, whole, colors)
        if made is None:
            work.note("custom_loss", said, _REASONS.get(name, "see `pixforge plugins` for the losses"))
        else:
            found.append(made)
    return found


def _loss(work: Work, name: str, weight: float, colors: str | None) -> dict[str, Any] | None:
    if name == "symmetry":
        return {"type": "symmetry", "weight": weight}
    if name == "saturation":
        return {"type": "saturation", "weight": round(weight / 10, 6)}
    if name == "smoothness":
        return _smoothness(work, weight)
    if name == "edge":
        return _edge(work, weight)
    if name == "palette" and colors is not None:
        count = work.recipe["cutouts"]["count"]
        return {"type": "palette", "weight": round(weight * count / 10, 6), "colors": colors}
    return None


def _smoothness(work: Work, weight: float) -> dict[str, Any]:
    """Only its `clipped` lets edges be sharp, which is what ours does by default."""
    form = work.take("smoothness_type")
    made: dict[str, Any] = {"type": "smoothness", "weight": weight}
    if form != "clipped":
        made["clip"] = 2
    if form == "log":
        made["form"] = "log"
    blur = work.number("smoothness_gaussian_std", low=0, high=64)
    if work.take("smoothness_gaussian_kernel") not in (None, 0):
        made["blur"] = 1 if blur is None else blur
    return made


def _edge(work: Work, weight: float) -> dict[str, Any]:
    own = work.number("edge_color_weight", low=0, high=1000)
    everywhere = work.number("global_color_weight", low=0, high=10)
    made: dict[str, Any] = {
        "type": "edge",
        "weight": round(weight * (0.1 if own is None else own), 6),
        "everywhere": 0.05 if everywhere is None else everywhere,
    }
    color = work.take("edge_color")
    if isinstance(color, str) and _is_palette(color):
        made["color"] = color
    elif color is not None:
        work.note("edge_color", color, "is no color that pixforge knows")
    width = work.number("edge_thickness", low=1, high=50)
    margins = work.take("edge_margins")
    if isinstance(margins, list) and len(margins) == 4 and all(_is_percent(each) for each in margins):
        left, right, top, bottom = (each / 100 for each in margins)
        made["margins"] = [left, top, right, bottom]
    elif width is not None:
        made["width"] = width / 100
    for name, ours in (("edge_input_image", "image"), ("edge_mask_image", "mask")):
        path = work.take(name)
        if work.is_file(name, path):
            made[ours] = path
            if ours == "mask":
                work.note(name, path, "there the margin is black, here it is white: invert the picture")
    return made


def _is_percent(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 50


def _is_palette(text: str) -> bool:
    try:
        Palette.model_validate(text)
    except ValidationError:
        return False
    return True


def _filters(work: Work, names: list[str], colors: str | None) -> list[dict[str, Any]]:
    """Those of `filters`; a margin that matches becomes the filter `rim`."""
    found: list[dict[str, Any]] = []
    for name in names:
        if name == "wallpaper":
            form = _form(work)
            match = work.number("wallpaper_edge_match", low=0, high=8192)
            if match:
                share = min(0.5, round(match / min(work.recipe["size"]), 4))
                found.append({"type": "rim", "width": share, "form": form})
            found.append({"type": "wallpaper", "form": form})
        elif name == "tiler":
            found.append({"type": "roll"})
        elif name == "lookup":
            beta = work.number("lookup_beta", low=0, high=100)
            found.append({"type": "lookup", "colors": colors or _TABLE, "beta": 10 if beta is None else beta})
        else:
            work.note("filters", name, "see `pixforge plugins` for the filters")
    return found


def _form(work: Work) -> str:
    form = str(work.take("wallpaper_type"))
    for word in ("shift", "horizontal", "vertical"):
        form = word if work.take(f"wallpaper_{word}") else form
    return form if form in {"shift", "horizontal", "vertical"} else "default"


def learning_rate(work: Work) -> None:
    """A tenth from each of the percentages of `learning_rate_drops` on, if a rate is given."""
    drops = work.take("learning_rate_drops")
    if drops in (None, False, []):
        return
    parts = [str(each).strip().removesuffix("%") for each in (drops if isinstance(drops, list) else [drops])]
    shares = sorted({float(each) for each in parts if re.fullmatch(r"\d{1,2}(\.\d{1,4})?", each)})
    optimizer = work.recipe["optimizer"]
    rate = optimizer.get("learning_rate")
    if rate is None or len(shares) != len(parts) or shares[0] == 0:
        work.note("learning_rate_drops", drops, _DROPS)
        return
    frames = {f"{share:g}%": round(rate / 10 ** (at + 1), 9) for at, share in enumerate(shares)}
    optimizer["learning_rate"] = {"0%": rate, **frames, "ease": "step"}


def overlay(work: Work) -> None:
    """The picture that it lays over its own every so many iterations."""
    image = work.take("overlay_image")
    steps = work.recipe["steps"]
    every, until, offset = (_steps(work, f"overlay_{name}", steps) for name in ("every", "until", "offset"))
    alpha = work.number("overlay_alpha", low=0, high=255)
    if not work.is_file("overlay_image", image):
        return
    edit: dict[str, Any] = {"type": "overlay", "image": image, "every": every or 10}
    edit["opacity"] = 1 if not alpha else round(alpha / 255, 3)
    work.put("edits", [edit if until is None else {**edit, "until": until}])
    if offset:
        work.note(
            "overlay_offset",
            offset,
            f"it comes after every {edit['every']} steps here, and there so much later",
        )


def _steps(work: Work, name: str, total: int) -> int | None:
    """Iterations, from `20`, `20 iterations` or `50%`."""
    value = work.take(name)
    said = re.fullmatch(r"(\d{0,7}\.?\d{1,7})\s*(i|iter|iterations|p|%|percent|)", str(value).lower().strip())
    if said is None:
        if value is not None:
            work.note(name, value, "is neither iterations such as 20 nor a share such as 50%")
        return None
    share = total / 100 if said[2] in {"p", "%", "percent"} else 1
    return min(total, int(float(said[1]) * share))
