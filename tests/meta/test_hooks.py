"""Every hook is documented in one line, is in the documentation, and is used by a test."""

import inspect
from pathlib import Path

import pytest

from pixforge.plugins import hookspecs
from pixforge.plugins.kinds import KINDS

ROOT = Path(__file__).parents[2]
NAMES = [name for name in vars(hookspecs) if name.startswith("pixforge_")]


@pytest.mark.parametrize("name", NAMES)
def test_hook(name):
    doc = inspect.getdoc(getattr(hookspecs, name)) or ""
    assert doc.endswith(".")
    assert "\n" not in doc
    assert name in (ROOT / "docs" / "plugins.md").read_text()
    elsewhere = [path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    assert any(name in path.read_text() for path in elsewhere), f"no test uses {name}"


def test_every_collecting_hook_is_collected():
    others = {"pixforge_run_started", "pixforge_run_finished", "pixforge_models", "pixforge_commands"}
    assert {kind.hook for kind in KINDS} == set(NAMES) - others
