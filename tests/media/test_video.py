"""Frames of videos and animated pictures; a file is hostile until it has been checked."""

from __future__ import annotations

import os
import random
import subprocess

import numpy as np
import pytest
import torch
from PIL import Image

from pixforge.builtin.exporters.video.exporter import Video
from pixforge.builtin.exporters.video.timeline import VideoConfig
from pixforge.contracts import Output, StepReport
from pixforge.errors import ImageError
from pixforge.media.ffmpeg import convert, ffmpeg
from pixforge.media.video import frames
from pixforge.runs.compare import compare

FORMATS = ("mp4", "webm", "gif", "apng", "webp")


def record(folder, format_="mp4", *, flash=None, size=(24, 16), seconds=1.0):
    """From black to white in 10 frames; the one of step `flash` is white."""
    folder.mkdir(exist_ok=True)
    config = VideoConfig(format=format_, seconds=seconds, fps=10, hold_first=0, hold_last=0)
    video = Video(config, Output(folder, "prompts: [x]\n", size, 9, 1))
    with video:
        for step in range(10):
            level = 1.0 if step == flash else step / 9
            video.write(StepReport(step, 9, torch.full((1, 3, size[1], size[0]), level), 0.1))
    return folder / video.files()[0]


@pytest.mark.parametrize("format_", FORMATS)
def test_all_frames_in_their_order(tmp_path, format_):
    found = list(frames(record(tmp_path, format_)))
    assert len(found) == 10
    assert {frame.shape[:2] for frame in found} == {(16, 24)}
    levels = [float(frame[..., :3].mean()) for frame in found]
    assert np.abs(np.array(levels) - np.linspace(0, 255, 10)).max() < 8


def test_an_animated_picture_keeps_its_transparency(tmp_path):
    clear = [Image.new("RGBA", (8, 8), (255, 0, 0, alpha)) for alpha in (0, 128, 255)]
    clear[0].save(tmp_path / "x.png", save_all=True, append_images=clear[1:])
    assert [int(frame[0, 0, 3]) for frame in frames(tmp_path / "x.png")] == [0, 128, 255]


def pipe(path):
    os.mkfifo(path)


def cut(path):
    data = record(path.parent / "whole").read_bytes()
    path.write_bytes(data[:200])


def sound_alone(path):
    convert(["-f", "lavfi", "-i", "sine=duration=0.2", str(path)], path.name)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "No such file"),
        (pipe, "not an ordinary file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b""), "no video or animated picture"),
        (lambda path: path.write_text("#EXTM3U\nhttp://localhost/x.ts\n"), "no video or animated picture"),
        (lambda path: path.write_bytes(b"\0\0\0\x18ftypisom" + bytes(20)), "damaged or cut short"),
        (cut, "damaged or cut short"),
        (sound_alone, "has no pictures; it is sound alone"),
    ],
)
def test_bad_files_say_which_and_why(tmp_path, make, reason):
    path = tmp_path / "x.mp4"
    make(path)
    with pytest.raises(ImageError, match=reason) as caught:
        list(frames(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("format_", ["mp4", "gif"])
def test_diff_says_which_frames_differ(tmp_path, format_):
    one, same, other, short, small = (
        record(tmp_path / name, format_, **fields)
        for name, fields in {
            "one": {},
            "same": {},
            "other": {"flash": 6},
            "short": {"seconds": 0.5},
            "small": {"size": (16, 16)},
        }.items()
    )
    assert compare(one, same) == []
    (line,) = compare(one, other)
    assert line.startswith(f"progress.{format_}: 1 of 10 frames differ, the first is number 7, by ") or (
        format_ == "mp4" and "of 10 frames differ" in line
    )
    assert f"progress.{format_}: 10 -> 5 frames" in compare(one, short)
    assert compare(one, small) == [f"progress.{format_}: 24 x 16 -> 16 x 16 pixels"]


def test_a_webm_that_is_damaged_in_its_middle_or_cut_is_used_with_a_warning(tmp_path, caplog):
    """ffmpeg goes on behind such places and ends well; the user should know that frames are missing."""
    whole = tmp_path / "whole.webm"
    source = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=20:duration=2", "-c:v", "libvpx-vp9", "-g", "10"]
    subprocess.run([ffmpeg(), "-v", "error", *source, str(whole)], check=True)
    assert sum(1 for _ in frames(whole)) == 40
    assert not caplog.records
    data = bytearray(whole.read_bytes())
    half = len(data) // 2
    (tmp_path / "cut.webm").write_bytes(data[:half])
    data[half : half + 1000] = random.Random(1).randbytes(1000)
    (tmp_path / "middle.webm").write_bytes(data)
    for name in ("cut.webm", "middle.webm"):
        caplog.clear()
        assert 0 < sum(1 for _ in frames(tmp_path / name)) < 40
        assert f"{name}: is damaged; what could be read of it is used (" in caplog.text
