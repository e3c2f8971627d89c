"""Disco Diffusion's animations: prompts by frame, and the keyframes of its 2D camera."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from pixforge.contracts.film import Film
from pixforge.recipe.importing.films import LIMITS, MOST_STEPS, put_film, put_scenes, short
from pixforge.recipe.importing.formulas import FormulaError, compute, read_formula
from pixforge.recipe.importing.work import Work

_KEYFRAME = re.compile(r"(\d{1,7})\s*:\s*\(([^()]{1,40})\)\s*(?:,|$)\s*")
_MOST_KEYFRAMES = 500
_FPS = 12
_FLAT = {"angle": "0:(0)", "zoom": "0:(1), 10:(1.05)", "translation_x": "0:(0)", "translation_y": "0:(0)"}
_IN_SPACE = ("translation_z", "rotation_3d_x", "rotation_3d_y", "rotation_3d_z", "near_plane", "far_plane", "fov",
             "padding_mode", "sampling_mode", "midas_weight", "midas_depth_model", "turbo_mode", "turbo_steps", "turbo_preroll")  # fmt: skip


def disco_film(work: Work, steps: int) -> None:
    """Prompts and steps, and the film of an animation.

    Args:
        work: gets them; its recipe has the size.
        steps: of a picture, which are those of the first frame.
    """
    mode = str(work.take("animation_mode"))
    frames = work.number("max_frames", low=1, high=MOST_STEPS, whole=True) or 10_000
    skipped = re.fullmatch(r"\s*(\d{1,2})\s*%\s*", str(work.take("frames_skip_steps") or "60%"))
    prompts = work.take("text_prompts")
    if mode not in {"2D", "3D", "Video Input"}:
        for name in (*_FLAT, *_IN_SPACE, "key_frames", "frames_scale", "interp_spline"):
            work.take(name)
        by_frame = _by_frame(prompts)
        for frame, texts in by_frame[1:]:
            work.note(f"text_prompts[{frame}]", texts, "without an animation_mode this frame never comes")
        _all(work, by_frame)
        work.put("steps", steps)
        return
    first = min(max(1, steps), 100_000)
    each = max(1, min(10_000, first - math.floor(first * (int(skipped[1]) if skipped else 60) / 100)))
    film = Film(fps=_FPS, steps_per_frame=each, first_frame_steps=first)
    most = (MOST_STEPS - first) // each + 1
    if frames > most:
        work.note("max_frames", frames, f"a run has at most a million steps, which are {most} frames")
    total = film.end(min(frames, most) - 1)
    put_film(work, film, total)
    by_frame = [each for each in _by_frame(prompts) if each[0] < min(frames, most)]
    if len(by_frame) > 1:
        parts = [
            (film.begin(frame) if number else 0, texts) for number, (frame, texts) in enumerate(by_frame)
        ]
        put_scenes(work, film, parts, total)
    else:
        _all(work, by_frame)
    if mode == "2D":
        _camera(work, film)
    else:
        better = "the edit `camera` with `depth_model`" if mode == "3D" else "the edit `video`"
        work.note(
            "animation_mode", mode, f"the frames and their prompts are taken; write {better} for their motion"
        )


def _all(work: Work, by_frame: list[tuple[int, list[str]]]) -> None:
    for text in by_frame[0][1] if by_frame else []:
        work.prompts(text)


def _by_frame(prompts: Any) -> list[tuple[int, list[str]]]:
    """Texts by the frame from which on they hold."""
    if not isinstance(prompts, dict):
        prompts = {0: prompts}
    found = []
    for frame, texts in prompts.items():
        listed = texts if isinstance(texts, list) else [texts]
        said = [each for each in listed if isinstance(each, str) and each.strip()]
        if re.fullmatch(r"\d{1,7}", str(frame).strip()) and said:
            found.append((int(str(frame)), said))
    return sorted(found)


def _camera(work: Work, film: Film) -> None:
    """Each frame is the one before, shifted, then zoomed and turned against the clock; it goes on at the other side."""
    width, height = work.recipe["size"]
    meanings: dict[str, tuple[str, Callable[[float], float]]] = {
        "translation_x": ("pan_x", lambda pixels: pixels / width),
        "translation_y": ("pan_y", lambda pixels: pixels / height),
        "angle": ("rotate", lambda degrees: -degrees),
        "zoom": ("zoom", lambda factor: factor),
    }
    moves: dict[str, Any] = {}
    for setting, (name, meaning) in meanings.items():
        value = work.take(setting)
        keyframes = _keyframes(_FLAT[setting] if value is None else value)
        values = [short(meaning(number)) for number in keyframes.values()]
        low, high = LIMITS[name]
        if not values:
            work.note(
                setting,
                value,
                f"is no number and no keyframes such as 0: (1), 10: (1.05); write camera.{name}",
            )
        elif not all(low <= each <= high for each in values):
            work.note(
                setting, value, f"takes camera.{name} out of {low:g} to {high:g} from one frame to the next"
            )
        elif len(set(values)) > 1:
            steps = [str(film.first_frame_steps + (frame - 1) * film.steps_per_frame) for frame in keyframes]
            moves[name] = dict(zip(steps, values, strict=True))
        elif values[0] != (1 if name == "zoom" else 0):
            moves[name] = values[0]
    for name in ("key_frames", "frames_scale", "interp_spline"):
        work.take(name)
    for name in _IN_SPACE:
        work.take(name)  # they are of 3D, and do nothing here
    if moves:
        work.put("edits", [{"type": "camera", "per": "frame", **moves, "infill": "wrap"}])


def _keyframes(value: Any) -> dict[int, float]:
    """Numbers by frame, in order; none when it is something else."""
    text = (
        f"0:({value})"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else str(value).strip()
    )
    found: dict[int, float] = {}
    place = 0
    try:
        while place < len(text) and len(found) < _MOST_KEYFRAMES and (match := _KEYFRAME.match(text, place)):
            found[int(match[1])] = compute(read_formula(match[2]), {})
            place = match.end()
        if not found:
            return {0: compute(read_formula(text), {})}
    except FormulaError:
        return {}
    return dict(sorted(found.items())) if place == len(text) else {}
