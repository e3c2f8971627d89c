"""`pixforge doctor`: it finds what is broken, and the exit status tells whether the default recipe runs."""

import re

import pytest

from pixforge.cli.main import main


@pytest.fixture
def run(shipped_folder, capsys):
    def call(*options: str) -> tuple[int, list[str]]:
        status = main(["doctor", *options])
        return status, capsys.readouterr().out.splitlines()

    return call


def starting(lines: list[str], *words: str) -> list[str]:
    return [line for line in lines if line.split()[: len(words)] == list(words)]


def test_all_is_well(run):
    status, lines = run()
    assert status == 0, "\n".join(lines)
    assert lines[-1] == "The default recipe runs here."
    assert [line.split()[1] for line in lines if line.startswith("ok")] == [
        "python", "torch", "device", "ffmpeg", "plugins", *5 * ["models"], "run",
    ]  # fmt: skip
    assert all(name in starting(lines, "ok", "run")[0] for name in ("image.png", "progress.mp4", "run.json"))


def test_a_damaged_model_fails_the_default_recipe(run, shipped_folder):
    (shipped_folder / "perceptor.safetensors").write_bytes(b"cut off")
    status, lines = run()
    assert status == 1
    assert lines[-1] == "The default recipe cannot run here."
    assert "install pixforge again" in starting(lines, "fail", "models")[0]
    assert starting(lines, "fail", "run")


def test_without_the_judge_it_still_runs(run, shipped_folder):
    (shipped_folder / "judge.safetensors").unlink()
    status, lines = run()
    assert status == 0
    assert "judge" in starting(lines, "warn", "models")[0]


def test_without_ffmpeg(run, monkeypatch):
    def missing():
        raise RuntimeError("No ffmpeg exe could be found")

    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", missing)
    status, lines = run()
    assert status == 1
    assert re.search("No ffmpeg exe", starting(lines, "fail", "ffmpeg")[0])


def test_a_broken_plugin_is_named_but_fails_nothing(run, tmp_path, monkeypatch):
    (tmp_path / "broken_thing.py").write_text("raise ImportError('no module named paint')")
    info = tmp_path / "broken_thing-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-thing\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[pixforge]\nthing = broken_thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    status, lines = run()
    assert status == 0, "\n".join(lines)
    found = starting(lines, "warn", "plugins")[0]
    assert "thing" in found
    assert "broken-thing 1.2" in found
    assert "no module named paint" in found
