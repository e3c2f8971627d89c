"""What a user of placeholder would notice."""

from pathlib import Path
from types import SimpleNamespace

import pytest

import pixforge
import pixforge.scaffold.kinds.command as plugin
from pixforge.scaffold.kinds.command import Placeholder
from pixforge.testing import check_component


def test_it_keeps_the_contract() -> None:
    check_component(Placeholder)


def test_the_hook_brings_it() -> None:
    assert Placeholder in plugin.pixforge_commands()


def test_the_largest_come_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, size in (("a.png", 1000), ("b.jpg", 3000), ("c.webp", 2000), ("notes.txt", 9000)):
        (tmp_path / name).write_bytes(size * b"x")
    Placeholder().run(SimpleNamespace(folder=str(tmp_path), top=2))
    assert capsys.readouterr().out.split() == ["3.0", "kB", "b.jpg", "2.0", "kB", "c.webp"]


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(pixforge.PixforgeError, match="there is no such folder"):
        Placeholder().run(SimpleNamespace(folder=str(tmp_path / "none"), top=2))
