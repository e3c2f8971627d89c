"""How other programs' perceptors see the picture: cutouts and augmentations."""

from __future__ import annotations

import re
from typing import Any

from pixforge.recipe.importing.work import Work
from pixforge.recipe.layers import read_preset

_CLIP_SIDE = 224
"""Pixels that the CLIP models of these programs see, which is the side of their smallest cutouts."""
_MOST_PARTS = 64
"""Parts of a schedule such as `[12]*400+[4]*600`."""
NOISE = {"type": "noise", "amount": 0.1}
"""VQGAN-CLIP's, Pixray's and pytti's noise on every cutout."""
_AFFINE = {"type": "affine", "degrees": 15, "zoom": 0, "probability": 0.7}
_ERASING = {"type": "erasing", "probability": 0.7, "smallest": 0.1, "largest": 0.4}
_LETTERS: dict[str, dict[str, Any]] = {
    "Af": {**_AFFINE, "translate": 0.1, "shear": 5},
    "Pe": {"type": "perspective", "distortion": 0.7, "probability": 0.7},
    "Ji": {"type": "color", "brightness": 0.1, "contrast": 0.1, "saturation": 0.1, "hue": 0.1, "probability": 0.7},
    "Er": _ERASING,
    "Ro": {**_AFFINE, "translate": 0},
    "Sh": {"type": "sharpness", "amount": 1, "probability": 0.5},
    "Gn": {"type": "noise", "amount": 1},
    "Et": {"type": "elastic", "strength": 0.005, "waves": 4, "probability": 0.7},
    "Ts": {"type": "thin_plate", "strength": 0.4, "probability": 0.7},
    "Re": {"type": "crop", "scale": [0.1, 1], "ratio": 1.333, "probability": 0.5},
}  # fmt: skip
"""The letters of VQGAN-CLIP's `-aug` with the parameters of its generate.py.

Kornia's elastic field is uniform noise blurred by a Gaussian of 32 pixels, 0.005 of a cutout's side; its thin plate moves
points by up to 0.8 of half the side.
"""
_OTHERS = {
    "Sh": "takes most of the detail away there; here it adds some as often",
    "Gn": "half of the cutouts get the whole noise there; here each gets its own part of it",
    "Cr": "crops to the size that a cutout has already, so it does nothing there",
}
_CUT_METHODS: dict[str, list[dict[str, Any]]] = {
    "updatedpooling": [
        {**_AFFINE, "translate": 0.1}, _LETTERS["Pe"],
        {"type": "color", "brightness": 0, "contrast": 0, "saturation": 0.1, "hue": 0.1, "probability": 0.7}, _ERASING, NOISE,
    ],
    "updated": [
        {"type": "flip"},
        {"type": "color", "brightness": 0, "contrast": 0, "saturation": 0.01, "hue": 0.01, "probability": 0.7},
        {"type": "sharpness", "amount": 1, "probability": 0.4},
        {**_AFFINE, "degrees": 30, "translate": 0.1, "probability": 0.8},
        {"type": "perspective", "distortion": 0.2, "probability": 0.4}, NOISE,
    ],
    "original": [],
}  # fmt: skip
"""VQGAN-CLIP's `-cutm` that have augmentations of their own."""
PIXRAY: list[dict[str, Any]] = [
    {"type": "color", "brightness": 0, "contrast": 0, "saturation": 0.1, "hue": 0.1, "probability": 0.8}, NOISE,
]  # fmt: skip
DISCO: list[dict[str, Any]] = [
    {"type": "flip"},
    {"type": "affine", "degrees": 10, "translate": 0.05, "zoom": 0},
    {"type": "color", "brightness": 0.1, "contrast": 0.1, "saturation": 0.1, "hue": 0.1},
    {"type": "noise", "amount": 0.03},
]
"""Disco's, without the gray of one cutout in ten; three times noise of .01 has a deviation of .017."""


def vqgan_clip(work: Work) -> None:
    """The cutouts of VQGAN-CLIP's `-cutm` and the augmentations of its `-aug`."""
    method = str(work.take("cut_method") or "latest")
    count = work.number("num_cuts", low=1, high=4096, whole=True) or 32
    power = work.number("cut_power", low=0.01, high=10)
    if method in {"latest", "updatedpooling"}:
        work.put("cutouts", {"type": "pooled", "count": count})
        if power not in (None, 1):
            work.note(
                "cut_power", power, f"cut_method {method} shows the whole picture in every cutout, there too"
            )
    else:
        smallest = min(1.0, round(_CLIP_SIDE / min(work.recipe["size"]), 4))
        sizes: dict[str, Any] = {"smallest": smallest, "power": power or 1, "overview": 0}
        work.put("cutouts", {"type": "random", "count": count, **sizes})
    said = [
        str(each).strip()
        for part in _flat(work.take("augments"))
        for each in (part.split() if isinstance(part, str) else [part])
    ]
    if method in _CUT_METHODS:
        work.put("augmentations", _CUT_METHODS[method])
        if said:
            work.note("augments", said, f"cut_method {method} has its own, there too")
        return
    work.put("augmentations", [*_lettered(work, said or ["Af", "Pe", "Ji", "Er"], method), NOISE])


def _lettered(work: Work, said: list[str], method: str) -> list[dict[str, Any]]:
    own: dict[str, dict[str, Any]] = (
        {"Pe": {"distortion": 0.5}, "Af": {"degrees": 30}} if method == "nrupdated" else {}
    )
    found: list[dict[str, Any]] = []
    for each in said:
        word = each[:2].capitalize()
        if word in _LETTERS:
            found.append({**_LETTERS[word], **own.get(word, {})})
        if word not in _LETTERS or word in _OTHERS:
            work.note("augments", each, _OTHERS.get(word, "see `pixforge plugins` for the augmentations"))
    return found


def _flat(value: Any) -> list[Any]:
    """A text, or a list, or VQGAN-CLIP's own list of one list."""
    if isinstance(value, list):
        return [each for part in value for each in (part if isinstance(part, list) else [part])]
    return [] if value in (None, "", True) else [value]


_CUT_SCHEDULES = ("pad_or_pulp", "watercolor", "han_fav")
"""Of discoart, in place of single schedules; presets have the same names."""


def disco(work: Work) -> None:
    """Disco's cutouts: shares of schedules over 1000 steps."""
    overview, inner = (_parts(work.take(name)) for name in ("cut_overview", "cut_innercut"))
    cutouts: dict[str, Any] = {"type": "disco"}
    if overview or inner:
        starts, both = _together(overview or [(0.0, 0.0)], inner or [(0.0, 0.0)])
        counts = [first + second for first, second in both]
        cutouts["count"] = min(4096, max(1, round(max(counts))))
        if len(set(counts)) > 1:
            work.note("cut_overview", None, "the number of cutouts changes there; here it is the largest one")
        shares = [round(first / (first + second), 4) if first + second else 0 for first, second in both]
        cutouts["overview"] = _keyframes(list(zip(starts, shares, strict=True)))
    else:
        cutouts["count"] = 16
    for ours, name, low, high in (("power", "cut_ic_pow", 0.01, 100), ("gray", "cut_icgray_p", 0, 1)):
        value = work.take(name)
        found = _parts(value)
        if found and all(part <= high for _, part in found):
            cutouts[ours] = _keyframes([(start, max(low, part)) for start, part in found])
        elif value is not None:
            work.note(name, value, f"is no number or schedule from {low:g} to {high:g}")
    group = work.take("cut_schedules_group")
    if group in _CUT_SCHEDULES:
        cutouts |= read_preset(group)["cutouts"]
    elif group not in (None, "default"):
        work.note("cut_schedules_group", group, f"is none of default, {', '.join(_CUT_SCHEDULES)}")
    work.put("cutouts", cutouts)
    without = work.take("skip_augs") is True
    work.put("augmentations", [] if without else DISCO)


def _parts(value: Any) -> list[tuple[float, float]]:
    """Where each part of `[12]*400+[4]*600` begins, from 0 to 1, and its value; it is read, not evaluated."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 4096:
        return [(0.0, float(value))]
    if not isinstance(value, str) or len(value) > 40 * _MOST_PARTS:
        return []
    part = r"\[\s*(\d{1,4}(?:\.\d{1,6})?)\s*\]\s*\*\s*(\d{1,5})"
    if not re.fullmatch(rf"\s*{part}(\s*\+\s*{part})*\s*", value):
        return []
    found = [(float(number), int(times)) for number, times in re.findall(part, value) if int(times)]
    total, before = sum(times for _, times in found), 0
    parts: list[tuple[float, float]] = []
    for number, times in found[:_MOST_PARTS]:
        if not parts or parts[-1][1] != number:
            parts.append((before / total, number))
        before += times
    return parts


def _together(
    one: list[tuple[float, float]], two: list[tuple[float, float]]
) -> tuple[list[float], list[tuple[float, float]]]:
    """Where either begins a new part, and the values of both from there on."""
    starts = sorted({start for start, _ in [*one, *two]})

    def at(parts: list[tuple[float, float]], start: float) -> float:
        return [value for begin, value in parts if begin <= start][-1]

    return starts, [(at(one, start), at(two, start)) for start in starts]


def _keyframes(parts: list[tuple[float, float]]) -> Any:
    """A number, or keyframes that hold until the next one."""
    before = [None, *(value for _, value in parts)]
    changes = [part for part, old in zip(parts, before, strict=False) if part[1] != old]
    if len(changes) == 1:
        return changes[0][1]
    return {**{f"{round(start * 100, 4):g}%": value for start, value in changes}, "ease": "step"}
