from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from pixforge.errors import OutputError
from pixforge.runs.folder import check_folder, run_folder, write_text


def make(out=None, name="heart"):
    with run_folder(out, name) as folder:
        return folder


def test_default_folders_are_numbered():
    assert [str(make()) for _ in range(3)] == ["outputs/heart-1", "outputs/heart-2", "outputs/heart-3"]
    assert str(make(name="sun")) == "outputs/sun-1"


@pytest.mark.parametrize("use", [check_folder, make])
def test_an_empty_name_is_no_folder(use, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("keep")
    with pytest.raises(OutputError, match="the name of the folder is empty"):
        use("")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_next_number_comes_after_the_highest():
    Path("outputs/heart-41").mkdir(parents=True)
    Path("outputs/heart-two").mkdir()
    assert make().name == "heart-42"


def test_concurrent_runs_get_different_folders():
    with ThreadPoolExecutor(16) as pool:
        folders = list(pool.map(lambda _: make(), range(64)))
    assert len(set(folders)) == 64


def test_concurrent_processes_get_different_folders():
    script = "from pixforge.runs.folder import run_folder\nwith run_folder(None, 'x') as f: print(f)"
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with ExitStack() as stack:
        command = [sys.executable, "-c", script]
        processes = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, env=path)) for _ in range(4)
        ]
        found = {process.communicate()[0] for process in processes}
    assert len(found) == 4


@pytest.mark.parametrize("name", ["a/b", "../../x", "", "..", "x" * 500, "a\nb", "名 前"])
def test_odd_names_stay_below_outputs(name):
    assert make(name=name).resolve().parent == Path("outputs").resolve()


def test_named_folder_is_made_with_its_parents():
    assert make("a/b/c").is_dir()


def test_empty_folder_may_be_used():
    Path("mine").mkdir()
    assert make("mine") == Path("mine")


def test_folder_with_files_is_refused_and_kept():
    Path("mine").mkdir()
    Path("mine/image.png").write_text("x")
    for use in (check_folder, make):
        with pytest.raises(OutputError, match=r"mine: already holds files \(image.png\).*-o DIR"):
            use("mine")
    assert Path("mine/image.png").read_text() == "x"


@pytest.mark.parametrize("out", ["file", "file/below", "nul\0l", "x" * 3000, "/proc/none/of/it"])
def test_impossible_folders(out):
    Path("file").write_text("x")
    with pytest.raises(OutputError, match="-o DIR"):
        make(out)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_cannot_be_written():
    Path("locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="-o DIR"):
        make("locked")


def fail(out=None, write=False):
    with run_folder(out, "heart") as folder:
        if write:
            (folder / "image.png").write_text("x")
        raise ValueError


def test_failure_leaves_no_empty_folder_but_what_was_made():
    with pytest.raises(ValueError):  # noqa: PT011 - our own
        fail("new")
    assert not Path("new").exists()
    with pytest.raises(ValueError):  # noqa: PT011 - our own
        fail("new", write=True)
    assert Path("new/image.png").exists()


def test_failure_keeps_an_empty_folder_that_was_there():
    Path("mine").mkdir()
    with pytest.raises(ValueError):  # noqa: PT011 - our own
        fail("mine")
    assert Path("mine").is_dir()


def test_text_is_whole_or_absent(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "x.txt", "a" * 10_000 + "\ud800")
    assert not list(tmp_path.iterdir())
