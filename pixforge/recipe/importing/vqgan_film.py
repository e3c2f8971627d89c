"""VQGAN-CLIP's zoom videos and stories: what its generate.py does every so many iterations."""

from __future__ import annotations

import math
from typing import Any

from pixforge.contracts.film import Film
from pixforge.recipe.importing.films import MOST_SCENES, MOST_STEPS, put_film, put_scenes
from pixforge.recipe.importing.work import Work

_SHOWN = 10
"""Iterations of a frame that no option says."""


def vqgan_film(work: Work, prompts: Any, steps: int) -> None:
    """Prompts and steps; a film, if the picture is zoomed or its prompts follow each other.

    Args:
        work: gets them; its recipe has the size.
        prompts: of the program, a text with `^` between the parts of a story.
        steps: iterations.
    """
    story = [each.strip() for each in prompts.split("^") if each.strip()] if isinstance(prompts, str) else []
    every = work.number("prompt_frequency", "change_prompt_every", low=0, high=MOST_STEPS, whole=True) or 0
    zoomed, shown = work.take("make_zoom_video", "zoom_video") is True, _SHOWN
    if zoomed:
        shown = work.number("zoom_frequency", "zoom_save_every", low=1, high=10_000, whole=True) or _SHOWN
    elif every:
        shown = min(_SHOWN, every)
    told = len(story) > 1 and every >= shown
    if len(story) > 1 and not told:
        reason = (
            "change_prompt_every is less than a frame"
            if every
            else "without change_prompt_every they never come there"
        )
        work.note("prompts", " ^ ".join(story[1:]), f"{reason}; write `scenes`")
    if not (told or zoomed):
        work.prompts(story[0] if story else prompts)
        work.put("steps", steps)
        return
    film = Film(fps=_rate(work, steps // shown), steps_per_frame=shown, first_frame_steps=shown)
    put_film(work, film, steps)
    if told:
        count = min(math.ceil(steps / every), MOST_SCENES + 1)
        parts = [(every * index, [story[index % len(story)]]) for index in range(count)]
        put_scenes(work, film, parts, steps)
    else:
        work.prompts(story[0] if story else prompts)
    if zoomed:
        _zoom(work, steps)


def _rate(work: Work, frames: int) -> float:
    """Frames per second, from 10 to 60, that give the wanted length; or those that are interpolated between."""
    seconds = work.number("video_length", low=0.01, high=100_000) or 10
    shown = work.number("output_video_fps", low=0, high=240) or 0
    given = work.number("input_video_fps", low=1, high=120) or 15
    if shown < 10:
        return round(min(60, max(10, frames / seconds)), 4)
    between = min(8, round(shown / given))
    if between > 1:
        work.put("exporters", ["still", {"type": "film", "interpolate": between}])
    return given


def _zoom(work: Work, steps: int) -> None:
    """The picture grows by zoom_scale (it shrinks by the usual .99, and black comes in), and is shifted by pixels."""
    start = work.number("zoom_start", low=0, high=MOST_STEPS, whole=True) or 0
    scale = work.number("zoom_scale", low=0.25, high=4)
    scale = 0.99 if scale is None else scale
    width, height = work.recipe["size"]
    camera: dict[str, Any] = {} if scale == 1 else {"zoom": scale}
    for name, setting, side in (("pan_x", "zoom_shift_x", width), ("pan_y", "zoom_shift_y", height)):
        pixels = work.number(setting, low=-side / 2, high=side / 2)
        if pixels:
            camera[name] = round(pixels / side, 6)
            if scale < 1:
                work.note(
                    setting, pixels, "what leaves comes back at the other side there; here black comes in"
                )
    if not camera:
        return
    if start >= steps:
        work.note("zoom_start", start, "is after the last iteration")
        return
    since = {"since": start} if start else {}
    outside = {"infill": "color", "color": "black"} if scale < 1 else {"infill": "wrap"}
    work.put("edits", [{"type": "camera", "per": "frame", **since, **camera, **outside}])
