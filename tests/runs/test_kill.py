"""SIGKILL at random moments: no file is incomplete, and every run can be resumed with the same result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_end_to_end import PLUGIN

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and POSIX signals")


def storm(folder, kills, seed):
    (folder / "color.py").write_text(PLUGIN)
    script = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(kills), str(seed)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_ten_kills(tmp_path):
    found = storm(tmp_path, 10, seed=1)
    assert found["wrong"] == []
    assert found["kills"] == 10
    assert found["operations"] > 30


@pytest.mark.slow
def test_two_hundred_kills(tmp_path):
    found = storm(tmp_path, 200, seed=2)
    assert found["wrong"] == []
    assert found["kills"] == 200
    assert found["finished"] > 20
