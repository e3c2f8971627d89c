from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from pixforge.builtin.exporters.video import encoder, segment
from pixforge.builtin.exporters.video.exporter import Video
from pixforge.builtin.exporters.video.recording import Recording
from pixforge.builtin.exporters.video.timeline import VideoConfig, frame_plan, frame_rate
from pixforge.contracts import StepReport
from pixforge.errors import RunError
from pixforge.media import ffmpeg
from pixforge.media.metadata import read_recipe

RED, BLUE = (255, 0, 0), (0, 0, 255)


def record(output, report, until=None, **config):
    video = Video(VideoConfig(**config), output)
    for step in range((output.steps if until is None else until) + 1):
        video.write(report(step, output))
    video.close()
    return output.folder / video.files()[0]


def write_slowly(video, output, report, first=0):
    for step in range(first, output.steps + 1):
        video.write(report(step, output))
        time.sleep(0.01)


def shows(frame, color):
    return np.abs(frame.reshape(-1, 3).mean(0) - color).max() < 25


@pytest.mark.parametrize("steps", [0, 1, 7, 200])
@pytest.mark.parametrize("format_", ["mp4", "webm"])
def test_length_is_met_whatever_the_number_of_steps(output, report, frames, steps, format_):
    found = frames(record(output(steps=steps), report, format=format_, seconds=2, fps=25))
    assert len(found) == 50


@pytest.mark.parametrize("format_", ["gif", "apng", "webp"])
def test_animations_have_the_length(output, report, frames, format_):
    found = frames(record(output(steps=30), report, format=format_, seconds=2, fps=20), "-r", "20")
    assert abs(len(found) - 40) <= 1
    assert shows(found[0], RED)
    assert shows(found[-1], BLUE)


def test_first_and_last_picture_are_held(output, report, frames):
    path = record(output(), report, seconds=4, fps=10, hold_first=1, hold_last=2)
    found = frames(path)
    assert all(shows(frame, RED) for frame in found[:10])
    assert all(shows(frame, BLUE) for frame in found[-20:])
    assert not shows(found[12], RED)
    assert not shows(found[-24], BLUE)


def test_the_usual_holds_shrink_in_a_short_video():
    plan = frame_plan(VideoConfig(seconds=1, fps=20), 100)
    assert len(plan) == 20
    assert plan.count(0) < plan.count(100) < 12
    assert len(set(plan)) > 5


@pytest.mark.parametrize(
    ("config", "first", "last"),
    [
        ({"seconds": 10, "hold_first": 4, "hold_last": 4}, 40, 40),
        ({"seconds": 10, "hold_first": 9}, 90, 1),
        ({"seconds": 2, "hold_last": 1}, 5, 10),
        ({"seconds": 1.04, "hold_first": 1.03}, 9, 1),
    ],
)
def test_holds_that_the_recipe_names_are_kept(config, first, last):
    plan = frame_plan(VideoConfig(fps=10, **config), 500)
    assert len(plan) == round(config["seconds"] * 10)
    assert plan.count(0) == first
    assert plan.count(500) == last


@pytest.mark.parametrize("holds", [{"hold_first": 6, "hold_last": 6}, {"hold_last": 11}, {"hold_first": 10}])
def test_holds_that_leave_nothing_are_refused(holds):
    with pytest.raises(ValidationError, match=r"of 10 seconds, which leaves nothing for the way between"):
        VideoConfig(seconds=10, **holds)


def test_pictures_that_are_repeated_often_are_worth_a_warning(output, caplog):
    Video(VideoConfig(seconds=10, fps=60), output(steps=30))
    assert "progress.mp4: 30 steps fill 600 frames, so that each picture stays for 19" in caplog.text
    caplog.clear()
    Video(VideoConfig(seconds=10, fps=60), output(steps=300))
    Video(VideoConfig(), output(steps=2))
    assert not caplog.text


@pytest.mark.parametrize("format_", ["mp4", "webm"])
def test_players_are_told_the_colors(output, report, format_):
    path = record(output(), report, format=format_, seconds=1)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    # One word stands for matrix, primaries and transfer if all three are the same.
    assert re.search(r"yuv420p\(tv, bt709[,)]", told), told


@pytest.mark.parametrize(("seconds", "plan"), [(0.01, [9]), (0.2, [0, 9]), (0.3, [0, 4, 9])])
def test_a_handful_of_frames_ends_with_the_result(seconds, plan):
    assert frame_plan(VideoConfig(seconds=seconds, fps=10), 9) == plan


def test_plan_goes_forward_only():
    plan = frame_plan(VideoConfig(), 300)
    assert plan == sorted(plan)
    assert len(plan) == 240


@pytest.mark.parametrize(
    ("config", "steps", "rate"),
    [
        ({}, 1, 10),
        ({}, 60, 10),
        ({}, 61, 11),
        ({}, 120, 20),
        ({}, 600, 30),
        ({"format": "gif"}, 600, 20),
        ({"format": "gif"}, 60, 10),
        ({"fps": 25}, 60, 25),
        ({"seconds": 2}, 10, 20),  # the holds leave half a second
        ({"seconds": 2, "hold_first": 0.9, "hold_last": 0.6}, 10, 20),
    ],
)
def test_frames_are_no_more_than_the_steps_can_fill(config, steps, rate):
    assert frame_rate(VideoConfig(**config), steps) == rate


@pytest.mark.parametrize("steps", [60, 100, 150])
def test_a_short_run_shows_every_step_for_as_long_as_planned(steps):
    rate = frame_rate(VideoConfig(), steps)
    plan = frame_plan(VideoConfig(), steps)
    assert set(plan) == set(range(steps + 1))
    assert len(plan) == 8 * rate
    assert plan.count(0) == int(0.5 * rate)
    assert plan.count(steps) == int(1.5 * rate)


def test_length_of_a_video_at_the_rate_of_its_steps(output, report, frames):
    path = record(output(steps=30), report, seconds=5)
    assert len(frames(path)) == 50
    assert len(frames(path, "-r", "30")) == 150


def test_no_more_encoders_are_started_than_memory_asks_for(output, report, monkeypatch):
    started = kill_encoders(monkeypatch, 0)
    record(output(steps=60), report)
    assert len(started) == 2  # 80 frames in segments of 60


def test_interrupted_video_ends_with_the_last_picture_held(output, report, frames):
    path = record(output(steps=100), report, until=50, seconds=4, fps=10, hold_last=1)
    found = frames(path)
    assert 20 < len(found) < 40
    assert all(shows(frame, (128, 0, 128)) for frame in found[-10:])


@pytest.mark.parametrize("format_", ["mp4", "webm", "gif", "apng", "webp"])
def test_odd_sizes_and_recipe_in_every_format(output, report, frames, format_):
    made = output(size=(33, 17))
    path = record(made, report, format=format_, seconds=0.5)
    height, width = frames(path).shape[1:3]
    assert (width, height) == ((34, 18) if format_ in {"mp4", "webm"} else (33, 17))
    assert read_recipe(path) == made.recipe
    assert [file.name for file in made.folder.iterdir()] == [path.name]


def test_canvases_share_one_grid(output, report, frames):
    found = frames(record(output(canvases=5), report, format="apng", seconds=0.5))
    assert found.shape[1:3] == (2 * 24, 3 * 32)
    assert abs(int(found[-1, 30, 40, 1]) - 4 * 255 // 8) <= 1
    assert not found[-1, 30, 80].any()


def test_only_needed_steps_leave_the_device(output, report):
    made = output(steps=500)
    reports = [report(step, made) for step in range(501)]
    video = Video(VideoConfig(seconds=1, fps=10), made)
    for each in reports:
        video.write(each)
    video.close()
    assert sum("pixels" in vars(each) for each in reports) <= 10


def test_queue_is_bounded(output, report, monkeypatch):
    gate = threading.Event()
    feed = encoder.Encoder._feed
    monkeypatch.setattr(encoder.Encoder, "_feed", lambda *args: (gate.wait(20), feed(*args)))
    made = output(steps=100)
    video = Video(VideoConfig(seconds=5), made)
    written = []

    def loop():
        for step in range(101):
            video.write(report(step, made))
            written.append(step)

    thread = threading.Thread(target=loop)
    thread.start()
    time.sleep(0.5)
    waiting = len(written)
    gate.set()
    thread.join()
    video.close()
    assert encoder.QUEUE <= waiting <= encoder.QUEUE + 2


def test_name_that_is_taken_is_reported(output, report, monkeypatch):
    monkeypatch.setattr(encoder, "QUEUE", 2)
    made = output(steps=50)
    (made.folder / "progress.mp4").mkdir()
    video = Video(VideoConfig(), made)
    with pytest.raises(IsADirectoryError, match=r"progress.mp4"):
        write_slowly(video, made, report)
    with pytest.raises(IsADirectoryError):
        video.close()


@pytest.mark.parametrize("config", [{}, {"format": "gif"}, {"order": "reverse"}])
def test_a_folder_with_a_colon_is_no_address(output, report, frames, config, monkeypatch):
    made = output(steps=5)
    monkeypatch.chdir(made.folder)
    Path("run:2").mkdir()
    video = Video(VideoConfig(seconds=1, fps=10, **config), replace(made, folder=Path("run:2")))
    for step in range(6):
        video.write(report(step, made))
    video.close()
    assert len(frames(Path("run:2", video.files()[0]).absolute())) == 10


def test_a_closed_video_takes_nothing_more(output, report):
    made = output(steps=5)
    video = Video(VideoConfig(), made)
    video.write(report(0, made))
    video.close()
    with pytest.raises(RunError, match=r"progress.mp4: was closed"):
        video.write(report(5, made))


def kill_encoders(monkeypatch, times, number=signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL):
    """Send a signal to the first `times` ffmpeg processes as soon as they start."""
    started = []
    start = segment.start

    def start_and_kill(*args, **options):
        process = start(*args, **options)
        started.append(process)
        if len(started) <= times:
            process.send_signal(number)
        return process

    monkeypatch.setattr(segment, "start", start_and_kill)
    return started


def test_encoder_that_dies_is_replaced_and_no_frame_is_lost(output, report, frames, monkeypatch):
    made = output(size=(64, 64), steps=50)
    whole = frames(record(made, report, fps=30))
    started = kill_encoders(monkeypatch, 2)
    assert np.array_equal(frames(record(made, report, fps=30)), whole)
    assert len(started) == 4 + 2


def test_encoder_that_always_dies_is_reported(output, report, monkeypatch):
    kill_encoders(monkeypatch, 100)
    made = output(size=(256, 256), steps=50)
    video = Video(VideoConfig(), made)
    with pytest.raises(RunError, match=r"progress.mp4: the video encoder failed: it ended with status -9"):
        write_slowly(video, made, report)
    with pytest.raises(RunError):
        video.close()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_encoder_that_is_stopped_is_replaced_and_no_frame_is_lost(output, report, frames, monkeypatch):
    made = output(size=(64, 64), steps=20)
    whole = frames(record(made, report, fps=10, seconds=2))
    monkeypatch.setattr(ffmpeg, "PATIENCE", 0.5)
    started = kill_encoders(monkeypatch, 1, signal.SIGSTOP)
    assert np.array_equal(frames(record(made, report, fps=10, seconds=2)), whole)
    assert len(started) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_conversion_that_is_stopped_ends_with_an_error(output, report, monkeypatch):
    made = output(size=(64, 64), steps=5)
    start = ffmpeg.start

    def start_and_stop(*args, **options):
        process = start(*args, **options)
        process.send_signal(signal.SIGSTOP)
        return process

    monkeypatch.setattr(ffmpeg, "PATIENCE", 0.5)
    monkeypatch.setattr(ffmpeg, "start", start_and_stop)
    with pytest.raises(RunError, match=r"progress\.gif: the video encoder failed"):
        record(made, report, seconds=1, format="gif")


@pytest.mark.parametrize("seconds", [0.1, 8])
def test_full_disk_is_named(output, report, seconds, monkeypatch):
    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Recording, "_write", full)
    with pytest.raises(OSError, match=r"No space left"):
        record(output(size=(256, 256), steps=50), report, seconds=seconds)


SCRIPT = """
import sys, time, torch
from pathlib import Path
from pixforge.builtin.exporters.video.timeline import VideoConfig
from pixforge.builtin.exporters.video.exporter import Video
from pixforge.contracts import Output, StepReport
video = Video(VideoConfig(format=sys.argv[2], seconds=8), Output(Path(sys.argv[1]), "prompts: [x]", (64, 64), 2000, 1))
for step in range(2001):
    video.write(StepReport(step, 2000, torch.rand(1, 3, 64, 64), 0.1))
    if step == 1000:
        print("half", flush=True)
        time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    ("format_", "name"),
    [("mp4", "progress.mp4"), ("webm", "progress.webm"), ("gif", "progress.gif.recording.mp4")],
)
def test_playable_while_written_and_after_a_kill(tmp_path, frames, format_, name):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path), format_], stdout=subprocess.PIPE, start_new_session=True
    )
    with process:
        assert process.stdout.readline() == b"half\n"
        time.sleep(0.3)
        assert len(frames(tmp_path / name)) > 5
        os.killpg(process.pid, signal.SIGKILL)
    for _ in range(50):
        time.sleep(0.05)
        if len(frames(tmp_path / name)) > 40:
            break
    assert len(frames(tmp_path / name)) > 40


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_encoder_survives_the_terminals_interrupt(tmp_path, frames):
    script = SCRIPT.replace("time.sleep(60)", "")
    script = (
        script.replace("import sys", "import signal; signal.signal(2, lambda *_: None); import sys", 1)
        + "video.close()\n"
    )
    script = script.replace('print("half", flush=True)', 'print("half", flush=True); sys.stdin.readline()')
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), "mp4"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        process.stdin.write(b"\n")
        process.stdin.close()
    assert process.returncode == 0
    assert len(frames(tmp_path / "progress.mp4")) == 240


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({"seconds": 0}, "seconds"),
        ({"fps": 0}, "fps"),
        ({"format": "gif", "fps": 60}, "at most 50"),
        ({"format": "gif", "quality": 50}, "no quality"),
        ({"name": "../x"}, "name"),
        ({"format": "avi"}, "mp4"),
    ],
)
def test_wrong_values_say_what_would_work(config, match):
    with pytest.raises(ValidationError, match=match):
        VideoConfig(**config)


def test_nothing_written_without_a_report(output):
    made = output()
    Video(VideoConfig(), made).close()
    assert not list(made.folder.iterdir())


@pytest.mark.parametrize("quality", [1, 80])
@pytest.mark.parametrize("steps", [0, 4])
@pytest.mark.parametrize("format_", ["mp4", "webm", "gif", "apng", "webp"])
def test_frames_that_are_all_alike(output, format_, steps, quality):
    made = output(size=(48, 32), steps=steps)
    chosen = {} if format_ in {"gif", "apng"} else {"quality": quality}
    video = Video(VideoConfig(format=format_, seconds=2, **chosen), made)
    for step in range(steps + 1):
        video.write(StepReport(step, steps, torch.full((1, 3, 32, 48), 0.5), 0.1))
    video.close()
    path = made.folder / video.files()[0]
    assert read_recipe(path) == made.recipe
    if format_ == "webp":
        with Image.open(path) as image:
            durations = []
            for frame in range(image.n_frames):
                image.seek(frame)
                image.load()
                durations.append(image.info["duration"])
        assert sum(durations) == pytest.approx(2000, abs=60)
