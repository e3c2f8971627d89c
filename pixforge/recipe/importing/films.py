"""Films of other programs: their frames, scenes, and numbers that change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pixforge.contracts.film import Film
from pixforge.recipe.importing.work import Work

MOST_STEPS = 1_000_000
MOST_SCENES = 1000
LIMITS = {"pan_x": (-0.5, 0.5), "pan_y": (-0.5, 0.5), "rotate": (-180.0, 180.0), "zoom": (0.25, 4.0)}
"""What a camera may do from one frame to the next, so that some of the picture stays in sight."""
_MOST_KEYFRAMES = 64
_LOOKED_AT = 500
"""Frames whose value a curve takes at most."""
_NEAR = 0.005
"""How far keyframes may be from a formula, as a share of all that it changes."""


def put_film(work: Work, film: Film, steps: int) -> None:
    """A film of so many steps; scenes, if there are some, say their number themselves."""
    work.put("film", film.model_dump(include={"fps", "steps_per_frame", "first_frame_steps"}))
    work.put("steps", min(max(steps, film.first_frame_steps), MOST_STEPS))


def put_scenes(work: Work, film: Film, parts: list[tuple[int, list[str]]], steps: int, fade: int = 0) -> None:
    """Scenes instead of prompts and steps.

    Args:
        work: gets them.
        film: its frames.
        parts: the step at which each begins, and its prompts as a program writes them.
        steps: of all.
        fade: steps over which each takes over.
    """
    if len(parts) > MOST_SCENES:
        work.note("scenes", len(parts), f"only the first {MOST_SCENES} are taken")
        steps, parts = parts[MOST_SCENES][0], parts[:MOST_SCENES]
    common = work.recipe.pop("prompts", None)
    ends = [*(begin for begin, _ in parts[1:]), steps]
    scenes: list[dict[str, Any]] = []
    frame = 0
    for (_, texts), end in zip(parts, ends, strict=True):
        for text in texts:
            work.prompts(text)
        prompts = work.recipe.pop("prompts", None)
        until = round((end - film.first_frame_steps) / film.steps_per_frame) + 1
        count = until - frame
        if not prompts or count < 1:
            reason = "has no prompts" if not prompts else "is shorter than a frame"
            work.note("scenes", " | ".join(texts), f"this scene {reason}, and is left out")
            continue
        faded = min(count, round(fade / film.steps_per_frame)) if scenes else 0
        own = {"fade": short(faded / film.fps)} if faded else {}
        scenes.append({"seconds": short(count / film.fps), **own, "prompts": prompts})
        frame = until
    work.put("prompts", common)
    if scenes:
        work.put("scenes", scenes)
        work.recipe.pop("steps", None)


def reset_at_frames(work: Work) -> None:
    """In a film that moves, the optimizer starts anew at every frame."""
    if work.recipe.get("edits"):
        work.recipe["optimizer"]["reset"] = "frame"


def schedule(film: Film, steps: int, value: Callable[[float], float]) -> Any:
    """A number, or keyframes that follow a function of the second; None when 64 do not suffice."""
    last = max(0, film.count(steps) - 2)  # an edit acts between two frames
    frames = sorted({round(last * index / _LOOKED_AT) for index in range(_LOOKED_AT + 1)})
    points = [(film.end(frame), value(frame / film.fps)) for frame in frames]
    heights = [height for _, height in points]
    reach = max(heights) - min(heights)
    if reach <= 1e-9 * max(1.0, *map(abs, heights)):
        return short(heights[0])
    kept = _straightened(points, reach * _NEAR)
    if len(kept) > _MOST_KEYFRAMES:
        return None
    return {str(step): short(height) for step, height in kept}


def _straightened(points: list[tuple[int, float]], near: float) -> list[tuple[int, float]]:
    """The points between which straight lines come near to all (Douglas and Peucker, 1973)."""
    kept, open_parts = {0, len(points) - 1}, [(0, len(points) - 1)]
    while open_parts:
        left, right = open_parts.pop()
        (begin, low), (end, high) = points[left], points[right]
        off = [
            (abs(height - low - (high - low) * (step - begin) / (end - begin)), index)
            for index, (step, height) in enumerate(points[left + 1 : right], left + 1)
        ]
        if off and max(off)[0] > near:
            middle = max(off)[1]
            kept.add(middle)
            open_parts += [(left, middle), (middle, right)]
    return [points[index] for index in sorted(kept)]


def short(number: float) -> float:
    """Six digits are enough for a motion, and the frames of a film come out right."""
    return 0.0 if abs(number) < 1e-12 else float(f"{number:.6g}")
