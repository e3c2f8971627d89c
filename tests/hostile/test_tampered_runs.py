"""Changed run folders: resuming works or is refused, and every file with a final name is complete."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import struct
from pathlib import Path

import pytest
from handling import EVIL, FAKE, handled
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file
from test_mutations import damaged, fuzz

import pixforge
from pixforge.builtin.exporters.video import position
from pixforge.cli.main import main
from pixforge.contracts.files import PART

NAME = "checkpoint.safetensors"
BASE = {
    "prompts": ["red"],
    "seed": 3,
    "size": [16, 16],
    "steps": 4,
    "device": "cpu",
    "generator": "pixels",
    "perceptors": ["fake"],
    "cutouts": {"type": "random", "count": 2},
    "augmentations": [],
    "losses": ["smoothness"],
    "exporters": [{"type": "still", "every": 1}, {"type": "video", "seconds": 0.5, "fps": 8}],
    "plugins": ["fake.py"],
}


class Stopper:
    """A progress that ends the run after two steps."""

    def start(self, recipe, steps):
        pass

    def update(self, report):
        if report.step == 2:
            signal.raise_signal(signal.SIGINT)

    def finish(self, result):
        pass


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that stopped after two of four steps."""
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("fake.py").write_text(FAKE)
        assert pixforge.render(pixforge.load_recipe(BASE), "run", progress=Stopper()).interrupted
    return folder


def go_on(stopped: Path, folder: Path, content: bytes | None = None, name: str = NAME) -> int:
    """Resume a copy of the run with a changed file, check the folder, and return the exit status."""
    shutil.rmtree(folder / "work", ignore_errors=True)
    shutil.copytree(stopped, folder / "work")
    (folder / "work/evil.py").write_text(EVIL.replace("ESCAPED", str(folder / "escaped")))
    if content is not None:
        (folder / "work/run" / name).write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "work")
        status = handled("resume", "run", "--quiet")
    assert {path.name for path in folder.iterdir()} == {"work"}
    assert {path.name for path in (folder / "work").iterdir()} <= {"run", "fake.py", "evil.py", "__pycache__"}
    for path in (folder / "work/run").iterdir():
        if path.suffix == ".png" and path.name != name:
            Image.open(path).load()
        if path.name == NAME and status == 0:
            assert load_file(path)
        assert status == 2 or not path.name.endswith(PART)
    return status


def parts(path: Path) -> tuple[dict, bytes]:
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header: dict, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def with_recipe(stopped: Path, change) -> bytes:
    header, data = parts(stopped / "run" / NAME)
    header["__metadata__"]["recipe"] = change(header["__metadata__"]["recipe"])
    return joined(header, data)


def test_the_run_itself_goes_on(stopped, tmp_path):
    assert go_on(stopped, tmp_path) == 0


def test_a_checkpoint_runs_no_program_that_the_recipe_does_not_name(stopped, tmp_path):
    evil = with_recipe(stopped, lambda text: text.replace("../fake.py", "../evil.py"))
    assert b"../evil.py" in evil
    assert go_on(stopped, tmp_path, evil) == 2


def test_a_checkpoint_for_a_folder_without_a_recipe(stopped, tmp_path):
    shutil.copytree(stopped, tmp_path / "a")
    (tmp_path / "a/run/recipe.yaml").unlink()
    assert go_on(tmp_path / "a", tmp_path / "b") == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: image", "name: ../../escaped"),
        ("[16, 16]", "[32, 16]"),
        ("canvases: 1", "canvases: 256"),
        ("steps: 4", "steps: -1"),
        ("seed: 3", 'seed: "\\e[2J"'),
    ],
)
def test_a_recipe_in_the_checkpoint_that_was_changed(stopped, tmp_path, old, new):
    changed = with_recipe(stopped, lambda text: text.replace(old, new))
    assert changed != (stopped / "run" / NAME).read_bytes(), (stopped / "run/recipe.yaml").read_text()
    assert go_on(stopped, tmp_path, changed) == 2


def test_a_video_that_would_never_end(stopped, tmp_path):
    """Found by the test below: a frame shown 10^18 times filled the disk."""
    header, data = parts(stopped / "run" / NAME)
    start, end = header["exporter/1-video/counts"]["data_offsets"]
    endless = struct.pack("<q", 2**60) * ((end - start) // 8)
    assert go_on(stopped, tmp_path, joined(header, data[:start] + endless + data[end:])) == 2


@fuzz(12)
@given(data=st.data())
def test_checkpoints_with_bytes_changed(stopped, tmp_path_factory, data):
    content = data.draw(damaged([(stopped / "run" / NAME).read_bytes()]))
    go_on(stopped, tmp_path_factory.mktemp("c"), content)


VALUES = st.sampled_from(
    [None, True, -1, 0, 3, 10**6, 2**63, 1e308, "", "x", "\x1b[2J\n", [], {}, ["prompt"] * 3, {"torch": "\n"}]
)


@fuzz(15)
@given(key=st.sampled_from(["format", "step", "first_step", "learning_rate", "factor", "terms", "versions", "lineage", "more"]), value=VALUES)  # fmt: skip
def test_checkpoints_with_other_facts(stopped, tmp_path_factory, key, value):
    header, data = parts(stopped / "run" / NAME)
    facts = json.loads(header["__metadata__"]["pixforge"])
    header["__metadata__"]["pixforge"] = json.dumps({**facts, key: value})
    go_on(stopped, tmp_path_factory.mktemp("c"), joined(header, data))


@fuzz(20)
@given(data=st.data())
def test_checkpoints_with_other_tensors(stopped, tmp_path_factory, data):
    """One tensor is gone, has another name, type or shape, or holds other bytes."""
    header, content = parts(stopped / "run" / NAME)
    header = copy.deepcopy(header)
    name = data.draw(st.sampled_from(sorted(header.keys() - {"__metadata__"})))
    entry = header[name]
    start, end = entry["data_offsets"]
    kind = data.draw(st.sampled_from(["gone", "renamed", "type", "flat", "empty", "ones", "maximum"]))
    if kind in {"gone", "empty"}:
        # What lies behind it moves forward, since holes are refused.
        content = content[:start] + content[end:]
        for other in header.values():
            if "data_offsets" in other and other["data_offsets"][0] >= end:
                other["data_offsets"] = [at - (end - start) for at in other["data_offsets"]]
        entry.update(shape=[0], data_offsets=[start, start])
    if kind == "gone":
        del header[name]
    elif kind == "renamed":
        header[data.draw(st.sampled_from(["../a", "latent/other", "exporter/9-video/position", "\x1b"]))] = (
            header.pop(name)
        )
    elif kind in {"type", "flat"}:
        size = {"type": 4, "flat": 1}[kind]
        if (end - start) % size == 0:
            entry.update(dtype={"type": "I32", "flat": "U8"}[kind], shape=[(end - start) // size])
    elif kind in {"ones", "maximum"}:
        fill = {"ones": b"\x01", "maximum": b"\x7f"}[kind]
        content = content[:start] + fill * (end - start) + content[end:]
    go_on(stopped, tmp_path_factory.mktemp("c"), joined(header, content))


@fuzz(10)
@given(
    data=st.data(),
    name=st.sampled_from(["recipe.yaml", "metrics.csv", "progress.mp4", "run.json", "image.png"]),
)
def test_other_files_with_bytes_changed(stopped, tmp_path_factory, data, name):
    path = next((stopped / "run").glob(name.replace("image", "image*")))
    go_on(stopped, tmp_path_factory.mktemp("c"), data.draw(damaged([path.read_bytes()])), path.name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize("name", [NAME, "recipe.yaml", "run.json", "metrics.csv", "progress.mp4"])
def test_a_pipe_in_a_run_folder_is_not_waited_for(stopped, tmp_path, name, capsys):
    shutil.copytree(stopped, tmp_path / "work")
    path = tmp_path / "work/run" / name
    path.unlink()
    os.mkfifo(path)
    for command in (
        ["resume", str(path.parent)],
        ["resume", str(path.parent), "-o", str(tmp_path / "other")],
    ):
        main(command)
        capsys.readouterr()
    assert main(["resume", str(path.parent)]) == 2
    assert f"{name}: is a pipe or a device" in capsys.readouterr().err
    assert path.is_fifo()
    assert main(["diff", str(path.parent), str(stopped / "run")]) in {0, 1, 2}


def test_a_recording_that_must_not_be_read_is_not_begun_again(stopped, tmp_path, monkeypatch):
    shutil.copytree(stopped, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    before = {path.name: path.read_bytes() for path in Path("run").glob("progress*")}
    plain = position.open_ordinary

    def forbidden(path):
        if path.name.startswith("progress"):
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path)

    monkeypatch.setattr(position, "open_ordinary", forbidden)
    with pytest.raises(
        pixforge.errors.InputError, match=r"progress\.mp4: cannot be read \(Permission denied\)"
    ):
        position.begins_with(Path("run/progress.mp4"), b"x", 100)
    assert {path.name: path.read_bytes() for path in Path("run").glob("progress*")} == before
