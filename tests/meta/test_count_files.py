"""The way of a recipe to its picture does not get longer unnoticed: docs/architecture.md has the counts."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOM = 6
"""Files by which the counts may differ from the page."""


def test_the_counts_of_the_page():
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "count_files.py")],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    counted = [
        int(number)
        for number in re.findall(r"(\d+) files? are passed|(\d+) are imported", done.stdout)
        for number in number
        if number
    ]
    page = (ROOT / "docs" / "architecture.md").read_text()
    written = [
        int(number)
        for number in re.findall(r"^\| (?:passed|imported).*\| \d+ \| (\d+) \|$", page, re.MULTILINE)
    ]
    assert len(counted) == len(written) == 4
    for now, said in zip(counted, written, strict=True):
        assert abs(now - said) <= ROOM, f"the page says {written}, it is {counted}"
