"""Kill a film in the middle of a scene and go on: `python killing_films.py FOLDER STEP...`. Prints a line of JSON.

For each step, a forked process is killed by SIGKILL right after it; then the run is resumed to its end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import pixforge
from pixforge.builtin.exporters.video.formats import write_video
from pixforge.media.sound import seconds_of_sound
from pixforge.media.video import frames
from pixforge.runs.events import Step

RECIPE = {
    "film": {"fps": 5, "steps_per_frame": 2, "first_frame_steps": 3},
    "scenes": [
        {"seconds": 0.6, "prompts": ["red"], "edits": [{"type": "camera", "zoom": 1.3, "flight": 1}]},
        {"seconds": 0.6, "fade": 0.4, "prompts": ["blue"]},
    ],
    "loop": True,
    "edits": [
        {"type": "video", "video": "v.mp4", "blend": 0.8},
        {"type": "feedback", "amount": 0.2, "delay": 2},
    ],
    "seed": 3,
    "size": 32,
    "generator": {"type": "pixels", "alpha": True},
    "init": "noise",
    "plugins": ["fake.py"],
    "perceptors": ["fake"],
    "cutouts": {"count": 2},
    "losses": [{"type": "smoothness", "weight": {"audio": "s.wav"}}],
    "checkpoint": {"every": 4},
    "exporters": [
        "still",
        {"type": "film", "sound": "s.wav"},
        {"type": "film", "format": "webm", "transparent": True, "name": "clear"},
        {"type": "film", "format": "apng"},
    ],
}


def prepare() -> None:
    """The files that the recipe names."""
    import wave

    Path("fake.py").write_text("from pixforge.testing import pixforge_perceptors\n")
    shade = np.linspace(0, 255, 32).astype(np.uint8)[None, :, None].repeat(32, 0).repeat(3, 2)
    write_video([np.roll(shade, number, axis=1) for number in range(10)], 5, "mp4", Path("v.mp4"))
    with wave.open("s.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes([64, 64, 192, 192]) * 4000)


def killed(folder: str, step: int) -> None:
    """Run until a step in a process that then dies at once."""
    pid = os.fork()
    if not pid:
        for event in pixforge.start(pixforge.load_recipe(RECIPE), folder):
            if isinstance(event, Step) and event.report.step == step:
                os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL


def content(folder: str) -> list[bytes]:
    """The film with its sound, the transparent ones, and the picture."""
    return [Path(folder, name).read_bytes() for name in ("film.mp4", "clear.webm", "film.png", "image.png")]


def branched(folder: str, whole: str) -> bool:
    """Whether a branch without a change from where a run was killed shows what the whole one shows from there on."""
    branch = f"branch-{folder}"
    pixforge.resume(folder, {"checkpoint.every": 3}, out=branch)
    found, known = list(frames(f"{branch}/film.png")), list(frames(f"{whole}/film.png"))
    again = all((a == b).all() for a, b in zip(found, known[-len(found) :], strict=True))
    heard = seconds_of_sound(f"{branch}/film.mp4")
    return bool(again and 1 < len(found) < len(known) and abs(heard - len(found) / 5) < 0.1)


def main() -> None:
    """Compare each resumed film with the one that ran through."""
    os.chdir(sys.argv[1])
    prepare()
    for step in sys.argv[2:]:
        killed(step, int(step))
    pixforge.render(pixforge.load_recipe(RECIPE), "whole")
    whole = content("whole")
    result, branches = {}, {}
    for step in sys.argv[2:]:
        branches[step] = branched(step, "whole")
        pixforge.resume(step)
        result[step] = content(step) == whole
    pixforge.render(pixforge.load_recipe("whole/recipe.yaml"), "replayed")
    found = {
        "frames": len(list(frames("whole/film.mp4"))),
        "clear": float(np.asarray(Image.open("whole/film.png"))[..., 3].mean()) < 250,
        "same": result,
        "branched": branches,
        "replayed": content("replayed") == whole,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
