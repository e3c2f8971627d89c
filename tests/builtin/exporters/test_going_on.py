"""A video of a run that was stopped and resumed has the same frames as an uninterrupted one, wherever it stopped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pixforge.builtin.exporters.still import Still, StillConfig
from pixforge.builtin.exporters.video import segment
from pixforge.builtin.exporters.video.exporter import Video
from pixforge.builtin.exporters.video.position import pack, unpack
from pixforge.builtin.exporters.video.timeline import VideoConfig
from pixforge.contracts import StepReport
from pixforge.errors import InputError

STEPS = 40


@pytest.fixture
def noisy(output, monkeypatch):
    """Reports of noisy pictures, whose video has several short segments, so that a wrong seam would be visible."""
    monkeypatch.setattr(segment, "LONGEST", 10)
    made = output(size=(48, 32), steps=STEPS)

    def report(step):
        generator = torch.Generator().manual_seed(step // 3)
        image = torch.rand(1, 3, 32, 48, generator=generator) * 0.5 + step / STEPS / 2
        return StepReport(step, STEPS, image, 0.1)

    return made, report


def record(made, report, config, stop=None, *, close=True):
    """Write all steps; or stop with a checkpoint at `stop`, write a few more, and end, in order or by a crash."""
    exporter = Video(config, made)
    state = {}
    for step in range(STEPS + 1 if stop is None else min(stop + 4, STEPS + 1)):
        exporter.write(report(step))
        if step == stop:
            state = {name: each.clone() for name, each in exporter.state().items()}
    if close:
        exporter.close()
    else:
        exporter._encoder.close()  # what comes after the checkpoint may have reached the file
    return exporter, state


def go_on(made, report, config, state, stop):
    exporter = Video(config, made)
    exporter.resume(state, report(stop))
    for step in range(stop + 1, STEPS + 1):
        exporter.write(report(step))
    exporter.close()
    return exporter


@pytest.mark.parametrize("close", [True, False], ids=["interrupted", "killed"])
@pytest.mark.parametrize("format_", ["mp4", "webm", "gif", "apng", "webp"])
def test_no_seam(noisy, frames, format_, close):
    made, report = noisy
    config = VideoConfig(format=format_, seconds=4, fps=10)
    exporter, _ = record(made, report, config)
    path = made.folder / exporter.files()[0]
    whole = frames(path)
    for stop in (0, 3, 11, 25, STEPS):
        path.unlink()
        _, state = record(made, report, config, stop, close=close)
        again = go_on(made, report, config, state, stop)
        assert again.files() == [path.name]
        assert np.array_equal(frames(path), whole), f"stopped at {stop}"
    assert [file.name for file in made.folder.iterdir()] == [path.name]


def test_interrupted_video_is_whole_and_its_recording_stays(noisy, frames):
    made, report = noisy
    exporter, _ = record(made, report, VideoConfig(seconds=4, fps=10), 20)
    assert exporter.files() == ["progress.mp4", "progress.mp4.recording.mp4"]
    assert len(frames(made.folder / "progress.mp4")) >= 30


def test_video_that_is_already_whole_stays_as_it_is(noisy):
    """The process is killed after the video was finished, before the run ends."""
    made, report = noisy
    config = VideoConfig(seconds=4, fps=10)
    _, state = record(made, report, config, 30)
    whole = (made.folder / "progress.mp4").read_bytes()
    (made.folder / "progress.mp4.recording.mp4").unlink()
    go_on(made, report, config, state, 30)
    assert (made.folder / "progress.mp4").read_bytes() == whole


def test_without_a_state_the_old_video_is_kept_and_a_new_one_begins(noisy, frames):
    made, report = noisy
    config = VideoConfig(seconds=4, fps=10)
    record(made, report, config, 20)
    go_on(made, report, config, {}, 20)
    assert len(frames(made.folder / "progress.mp4")) == 40
    assert len(frames(made.folder / "progress-until-step-00020.mp4")) >= 30


def test_stopped_in_the_first_segment_then_killed(noisy, frames):
    """The recording of the first stop must not be taken for that of the second."""
    made, report = noisy
    config = VideoConfig(seconds=4, fps=10)
    exporter, _ = record(made, report, config)
    whole = frames(made.folder / exporter.files()[0])
    (made.folder / "progress.mp4").unlink()
    _, early = record(made, report, config, 3)
    again = Video(config, made)
    again.resume(early, report(3))
    for step in range(4, 26):
        again.write(report(step))
    state = again.state()
    assert state["position"][1] > 0
    again._encoder.close()  # killed: the video is not finished
    go_on(made, report, config, state, 25)
    assert np.array_equal(frames(made.folder / "progress.mp4"), whole)


def test_a_video_that_began_anew_keeps_its_plan(noisy, frames):
    made, report = noisy
    config = VideoConfig(seconds=4, fps=10)
    record(made, report, config, 10)
    go_on(made, report, config, {}, 10)
    whole = frames(made.folder / "progress.mp4")
    again = Video(config, made)
    again.resume({}, report(10))
    for step in range(11, 26):
        again.write(report(step))
    state = again.state()
    again.close()
    go_on(made, report, config, state, 25)
    assert np.array_equal(frames(made.folder / "progress.mp4"), whole)


@pytest.mark.parametrize("change", [{"quality": 50}, {"fps": 20}])
def test_frames_of_another_kind_begin_a_new_video(noisy, frames, change):
    made, report = noisy
    _, state = record(made, report, VideoConfig(seconds=4, fps=10), 25)
    config = VideoConfig(**{"seconds": 4, "fps": 10, **change})
    exporter = Video(config, made)
    exporter.resume(state, report(25))
    for step in range(26, STEPS + 1):
        exporter.write(report(step))
    exporter.close()
    assert len(frames(made.folder / "progress.mp4")) == 4 * (change.get("fps") or 10)
    assert (made.folder / "progress-until-step-00025.mp4").exists()


@pytest.mark.parametrize(
    "change", [{"began": torch.tensor(-1)}, {"began": torch.tensor(26)}, {"kind": torch.zeros(2, 2)}]
)
def test_a_damaged_origin_is_refused(noisy, change):
    made, report = noisy
    config = VideoConfig(seconds=4, fps=10)
    _, state = record(made, report, config, 25)
    with pytest.raises(InputError, match="damaged"):
        Video(config, made).resume({**state, **change}, report(25))


def test_large_frames_are_not_hoarded(noisy, monkeypatch):
    monkeypatch.setattr(segment, "KEPT_BYTES", 3 * 48 * 32 * 3)
    made, report = noisy
    _, state = record(made, report, VideoConfig(seconds=4, fps=10), 37)
    assert int(state["counts"].sum()) < 3


@pytest.mark.parametrize(
    "change",
    [
        {"position": torch.tensor([1])},
        {"position": torch.tensor([-1, 0])},
        {"counts": torch.tensor([0, 1])},
        {"counts": torch.tensor([1])},
        {"counts": torch.tensor([2**40, 1])},
        {"frames": torch.zeros(2, 5, 5, 3, dtype=torch.uint8)},
        {"frames": torch.zeros(2, 4, 6, 3)},
        {"header": torch.tensor([1.5, float("nan")])},
    ],
)
def test_damaged_state_is_refused(change):
    from pixforge.builtin.exporters.video.position import Position

    frame = np.zeros((4, 6, 3), np.uint8)
    state = pack(Position(2, 100, [frame, frame], [1, 3]), b"head")
    assert unpack(state, (4, 6, 3), most=4)[0].counts == [1, 3]
    with pytest.raises(InputError, match="damaged"):
        unpack({**state, **change}, (4, 6, 3), most=4)


def test_stills_on_the_way_are_remembered(noisy):
    made, report = noisy
    config = StillConfig(every=10)
    first = Still(config, made)
    for step in range(26):
        first.write(report(step))
    second = Still(config, made)
    second.resume(first.state(), report(25))
    for step in range(26, STEPS + 1):
        second.write(report(step))
    second.close()
    names = ["image.png", *(f"image-step-{step:05d}.png" for step in (10, 20, 30, 40))]
    assert second.files() == names


@pytest.mark.parametrize("value", ["none", False])
def test_metadata_can_be_left_out(noisy, value):
    from pixforge.errors import RecipeError
    from pixforge.media.metadata import read_recipe

    made, report = noisy
    record(made, report, VideoConfig(seconds=1, metadata=value))
    with Still(StillConfig(metadata=value), made) as still:
        still.write(report(3))
    for name in ("progress.mp4", "image.png"):
        with pytest.raises(RecipeError, match="carries no recipe"):
            read_recipe(made.folder / name)
        assert b"prompts" not in (made.folder / name).read_bytes()
