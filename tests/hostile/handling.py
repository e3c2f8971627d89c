"""Run command lines on untrusted files, and check that they end in one of the allowed ways."""

from __future__ import annotations

import io
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from pixforge.cli.main import main

SECONDS = 20
"""Of work, not by the clock: the machine may be busy. What explodes takes hours."""
FAKE = "from pixforge.testing.fake import pixforge_perceptors\n"
"""A plugin: a perceptor without weights."""

EVIL = "from pathlib import Path\nPath('ESCAPED').write_text('it was run')\nhookimpl = 1\n"


def handled(*arguments: str) -> int:
    """The exit status of a command line that succeeded, or failed with one clear message and wrote nothing."""
    out, err = io.StringIO(), io.StringIO()
    before = everything(Path.cwd().parent)
    start = time.process_time()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments)
    said = err.getvalue()
    assert time.process_time() - start < SECONDS
    assert status in {0, 1, 2}, said
    assert "pixforge: unexpected " not in said, said
    assert "Traceback" not in said
    assert all(each.isprintable() or each == "\n" for each in said), repr(said)
    if status == 0:
        return status
    assert said or status == 1  # as which `diff` ends when there is a difference
    assert said.count("\n") <= 1 or said.split("\n")[0].endswith(" problems"), said
    assert len(said) < 20_000
    if status == 2 and arguments[0] != "resume":
        new = everything(Path.cwd().parent) - before
        assert not new, (new, said)
    return status


def everything(folder: Path) -> set[str]:
    """All files below a folder, without Python's caches."""
    return {str(path) for path in folder.rglob("*") if "__pycache__" not in path.parts}
