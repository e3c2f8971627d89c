"""pytti's scenes, and its camera: what its update_func.py and Transforms.py do between two frames."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from pixforge.contracts.film import Film
from pixforge.recipe.importing.films import (
    LIMITS,
    MOST_STEPS,
    put_film,
    put_scenes,
    reset_at_frames,
    schedule,
)
from pixforge.recipe.importing.formulas import FormulaError, compute, read_formula
from pixforge.recipe.importing.work import Work

Function = Callable[[float], float]
_INFILLS: dict[str, dict[str, str]] = {
    "mirror": {"infill": "mirror"}, "wrap": {"infill": "wrap"}, "smear": {"infill": "border"},
    "black": {"infill": "color", "color": "black"},
}  # fmt: skip
_ALIKE = 0.005
_DEPTH = 0.25
"""Where a flat picture lies between near_plane and far_plane: AdaBins sees most pictures two or three of ten metres away."""


def pytti_film(work: Work, width: int, height: int) -> None:
    """The scenes, the steps, and the film that they make.

    Args:
        work: gets them.
        width: of what pytti moves, in its pixels.
        height: the same.
    """
    work.pictures_in_brackets = True
    scenes = _scenes(work)
    each = work.number("steps_per_scene", low=0, high=MOST_STEPS, whole=True) or 100
    fade = work.number("interpolation_steps", low=0, high=MOST_STEPS, whole=True) or 0
    mode = str(work.take("animation_mode"))
    mode = mode if mode in {"2D", "3D", "Video Source"} else "off"
    if len(scenes) < 2 and mode == "off":
        for text in scenes[0] if scenes else []:
            work.prompts(text)
        work.put("steps", each)
        return
    film = _film(work, mode, each)
    steps = min(each * max(1, len(scenes)), MOST_STEPS)
    put_film(work, film, steps)
    if len(scenes) > 1:
        put_scenes(work, film, [(each * index, texts) for index, texts in enumerate(scenes)], steps, fade)
    else:
        for text in scenes[0] if scenes else []:
            work.prompts(text)
    if mode in {"2D", "3D"}:
        _camera(work, film, steps, mode, (width, height))
    elif mode == "Video Source":
        _video(work)
    _sound(work)


def resets(work: Work) -> None:
    """In a film that moves, pytti's optimizer starts anew at every frame, unless it says otherwise."""
    if work.take("reset_lr_each_frame") is not False:
        reset_at_frames(work)


def _scenes(work: Work) -> list[list[str]]:
    """The prompts of each scene, without their masks."""
    prefix, suffix = (str(work.take(f"scene_{end}") or "") for end in ("prefix", "suffix"))
    written = [each for each in str(work.take("scenes") or "").split("||") if each.strip()]
    scenes = [[part.strip() for part in f"{prefix}{each}{suffix}".split("|")] for each in written]
    return [[_unmasked(work, part) for part in parts if part] for parts in scenes]


def _unmasked(work: Work, part: str) -> str:
    masked = re.fullmatch(r"(.*?)((?::[^:_]*){0,2})_(.+)", part)
    if not masked or ":" not in part:
        return part
    reason = "the prompt is taken without its mask; `where` limits it to a part of the picture"
    work.note("mask", masked[3], reason)
    return masked[1] + masked[2]


def _film(work: Work, mode: str, scene: int) -> Film:
    """With a camera a frame is steps_per_frame; without one it is what save_every saves, and the film is made of those."""
    fps = work.number("frames_per_second", low=1, high=120) or 12
    steps = work.number("steps_per_frame", low=1, high=10_000, whole=True) or 50
    saved = work.number("save_every", low=1, high=10_000, whole=True) or 50
    before = work.number("pre_animation_steps", low=0, high=100_000, whole=True)
    if mode == "off":
        saved = min(saved, scene)
        return Film(fps=fps, steps_per_frame=saved, first_frame_steps=saved)
    if saved != steps:
        work.note("save_every", saved, "each frame of the film is one of steps_per_frame")
    before = 50 if before is None else before
    return Film(fps=fps, steps_per_frame=steps, first_frame_steps=before or steps)


def _camera(work: Work, film: Film, steps: int, mode: str, size: tuple[int, int]) -> None:
    moves: dict[str, Any] = {}
    for name, (setting, move) in (_flat(work, *size) if mode == "2D" else _deep(work, *size)).items():
        found = _followed(work, film, steps, name, setting, move)
        if found is not None and found != (1 if name == "zoom" else 0):
            moves[name] = found
    infill = str(work.take("infill_mode") or "wrap")
    if infill not in _INFILLS:
        work.note("infill_mode", infill, f"is none of {', '.join(_INFILLS)}; wrap is taken")
    work.take("sampling_mode")  # the camera has one spline, finer than all of them
    if moves:
        outside = _INFILLS.get(infill, _INFILLS["wrap"])
        work.put("edits", [{"type": "camera", "per": "frame", **moves, **outside}])


def _video(work: Work) -> None:
    """Each frame is the next one of the video, or what was drawn, moved as the video moves."""
    path = work.take("video_path")
    if not work.is_file("video_path", path):
        work.note("animation_mode", "Video Source", "needs the video_path of a file")
        return
    stride = work.number("frame_stride", low=1, high=10_000, whole=True) or 1
    blend = 1 if work.take("reencode_each_frame") is False else 0
    work.put("init", {"type": "video", "video": path})
    work.put("edits", [{"type": "video", "video": path, "stride": stride, "blend": blend}])
    if work.take("flow_long_term_samples") not in (None, 0, 1):
        work.note("flow_long_term_samples", None, "here the flow goes from one frame to the next")


def _sound(work: Work) -> None:
    path = work.take("input_audio")
    if work.is_file("input_audio", path):
        work.put("exporters", ["still", {"type": "film", "sound": path}])
        later = work.take("input_audio_offset")
        if later not in (None, 0):
            work.note("input_audio_offset", later, "the sound begins with the film; cut it before")


def _followed(work: Work, film: Film, steps: int, name: str, setting: _Setting, move: Function) -> Any:
    """The number or the keyframes of a move; None, and a note, when there are none."""
    low, high = LIMITS[name]
    try:
        found = schedule(film, steps, move)
    except FormulaError as error:
        work.note(setting.name, setting.value, f"{error}; write camera.{name}")
        return None
    values = found.values() if isinstance(found, dict) else [found]
    if found is None:
        reason = f"changes too fast for 64 keyframes; write camera.{name} as a curve such as `wave`"
    elif any(not low <= value <= high for value in values):
        reason = f"takes camera.{name} out of {low:g} to {high:g} from one frame to the next"
    else:
        return found
    work.note(setting.name, setting.value, reason)
    return None


def _flat(work: Work, width: int, height: int) -> dict[str, tuple[_Setting, Function]]:
    """2D: pixels to the right and up, degrees against the clock, and pixels by which the picture outgrows its sides."""
    right, up, turn, wide, high = (
        _Setting(work, name) for name in ("translate_x", "translate_y", "rotate_2d", "zoom_x_2d", "zoom_y_2d")
    )

    def zoom(second: float) -> float:
        across, down = wide.at(second) / width, high.at(second) / height
        if max(across, down) >= 1:
            raise FormulaError("is as large as the picture")
        return math.sqrt(1 / (1 - across) / (1 - down))

    if abs(wide.start() / width - high.start() / height) > _ALIKE:
        work.note(
            wide.name, wide.value, "is another factor than zoom_y_2d; the camera takes the mean of both"
        )
    return {
        "pan_x": (right, lambda second: right.at(second) / width),
        "pan_y": (up, lambda second: -up.at(second) / height),
        "rotate": (turn, lambda second: -turn.at(second)),
        "zoom": (wide, zoom),
    }


def _deep(work: Work, width: int, height: int) -> dict[str, tuple[_Setting, Function]]:
    """3D, as if all of the picture lay at one depth, where pytti asks a network for it."""
    near = work.number("near_plane", low=0, high=1e6)
    far = work.number("far_plane", low=0.001, high=1e6)
    angle = work.number("field_of_view", low=1, high=150) or 60
    near, far = 1 if near is None else near, 10_000 if far is None else far
    depth = near + abs(far - near) * _DEPTH
    close = 1 / math.tan(math.radians(angle) / 2) / (2 * depth)
    names = {"r": near, "R": far, "mu": depth}
    right, up, ahead = (
        _Setting(work, name, names) for name in ("translate_x", "translate_y", "translate_z_3d")
    )
    reason = "there a network says how far everything is; here all lies at a quarter of far_plane, unless "
    work.note("animation_mode", "3D", reason + "you give camera.depth or camera.depth_model")
    turned = work.take("rotate_3d")
    if turned is not None and re.sub(r"[\s\[\]]|\.0?(?=,|$|\])", "", str(turned)) not in {"1,0,0,0", "0"}:
        work.note("rotate_3d", turned, "write camera.rotate, camera.tilt and camera.turn, in degrees")
    moves: dict[str, tuple[_Setting, Function]] = {}
    if work.take("lock_camera") is False:
        moves["pan_x"] = right, lambda second: close * height / width * right.at(second)
        moves["pan_y"] = up, lambda second: -close * up.at(second)
    elif right.start() or up.start():
        work.note(
            "lock_camera", "true", "takes away the pan of translate_x and translate_y, but for the parallax"
        )

    def zoom(second: float) -> float:
        forward = ahead.at(second)
        if forward >= depth:
            raise FormulaError("goes beyond the picture")
        grown: float = 1 + close * height * forward / (depth - forward)
        return max(0.0, grown)

    return {**moves, "zoom": (ahead, zoom)}


class _Setting:
    """A setting as a function of the second; 0, and a note, when it is no formula."""

    def __init__(self, work: Work, name: str, names: dict[str, float] | None = None) -> None:
        self.name, self.value, self._names = name, work.take(name), names or {}
        self._tree = read_formula(0)
        try:
            tree = read_formula(0 if self.value in (None, "") else self.value)
            compute(tree, {**self._names, "t": 1.0})
            self._tree = tree
        except FormulaError as error:
            work.note(name, self.value, f"{error}; write it in the edit `camera`")

    def at(self, second: float) -> float:
        return compute(self._tree, {**self._names, "t": second})

    def start(self) -> float:
        try:
            return self.at(0.0)
        except FormulaError:
            return 0.0
