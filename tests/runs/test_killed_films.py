"""SIGKILL in the middle of a scene: the film that is resumed is the one that was not killed, bit for bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="fork and POSIX signals")
def test_a_killed_film_goes_on_bit_for_bit(tmp_path):
    """With a camera, a fade, a loop, a video source, feedback, sound, and transparent films; between two checkpoints.

    A branch from there shows the same, and so does the run that the whole one's recipe makes.
    """
    script = Path(__file__).with_name("killing_films.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), "8"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "frames": 6,
        "clear": True,
        "same": {"8": True},
        "branched": {"8": True},
        "replayed": True,
    }
