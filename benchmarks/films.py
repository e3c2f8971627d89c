"""Measure what a film costs: steps with a camera before them, against the other steps of the same run.

    python benchmarks/films.py [--frames 20] [--json FILE]

A film of 256 x 256 with 4 steps per frame, whose video is written meanwhile. The fastest step of each kind counts, in
CPU time of its thread, so that what else the machine does counts little; the encoder of the video is a process of its own
and does not count. A film's step is a quarter of one with the camera and three of the others. A second run says what
the video takes of the whole.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import pixforge
from pixforge.builtin.exporters.video.encoder import Encoder
from pixforge.runs.events import Step

SPF = 4


def recipe(generator: str, frames: int) -> dict[str, Any]:
    """The default augmentations and losses, 32 cutouts."""
    return {
        "prompts": ["a red heart"],
        "seed": 1,
        "size": [256, 256],
        "steps": SPF * frames,
        "generator": generator,
        "init": "noise",
        "cutouts": {"count": 32},
        "edits": [{"type": "camera", "zoom": 1.3, "rotate": 5}],
        "exporters": ["still", "film"],
        "film": {"fps": 24, "steps_per_frame": SPF, "first_frame_steps": SPF},
    }


def fastest(data: dict[str, Any]) -> tuple[float, float]:
    """Seconds of CPU time of a step without the camera and of one with it."""
    plain, moved = [], []
    with tempfile.TemporaryDirectory() as folder:
        before = 0.0
        for event in pixforge.start(pixforge.load_recipe(data), Path(folder) / "out"):
            if isinstance(event, Step):
                now, number = time.thread_time(), event.report.step
                if number > SPF:
                    (moved if number % SPF == 1 else plain).append(now - before)
                before = now
    return min(plain), min(moved)


def video_share(data: dict[str, Any]) -> float:
    """Of the CPU time from the first step on, what the video takes: its thread, and ffmpeg, which is a process."""
    run, spent = Encoder._run, [0.0]  # noqa: SLF001 - to look at its thread

    def timed(self: Encoder) -> None:
        run(self)
        spent[0] += time.thread_time()

    before = _of_children()
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(Encoder, "_run", timed):
        begun = 0.0
        for event in pixforge.start(pixforge.load_recipe(data), Path(folder) / "out"):
            if isinstance(event, Step) and not begun:
                begun = time.process_time()
        own = time.process_time() - begun
    ffmpeg = _of_children() - before
    return (spent[0] + ffmpeg) / (own + ffmpeg)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print a line for each generator."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {}
    for generator in ("pixels", "fourier"):
        plain, moved = fastest(recipe(generator, options.frames))
        ratio = (moved + (SPF - 1) * plain) / (SPF * plain)
        found[generator] = {"step_ms": plain * 1000, "with_camera_ms": moved * 1000, "ratio": ratio}
        print(
            f"{generator}: {plain * 1000:.1f} ms, with the camera {moved * 1000:.1f} ms, a film's step {ratio:.3f}"
        )
        found[generator]["video_share"] = share = video_share(recipe(generator, options.frames))
        print(f"{generator}: the video takes {share:.1%}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
