"""The example with the photographs of an installed package, as a user runs it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_photographs_of_scikit_image(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "search_photos.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 9
    assert [line.split()[0] for line in lines[:2]] == ["chelsea.png", "coffee.png"]
    indexed = int(lines[6].split()[0])
    assert indexed >= 20
    # Whatever the small model makes of a photograph, one is most like itself.
    assert lines[8].startswith("like coffee.png: coffee.png 1.00, ")
    assert (tmp_path / "photographs-index" / "pictures.sqlite").is_file()
