"""What videos look like: captions, their order, sizes for sites, contact sheets, frames of a film as pictures."""

from collections import Counter
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from pixforge.builtin.exporters.contact_sheet import ContactSheet, ContactSheetConfig
from pixforge.builtin.exporters.film import FilmConfig, FilmVideo
from pixforge.builtin.exporters.still import Still, StillConfig
from pixforge.builtin.exporters.video import exporter
from pixforge.builtin.exporters.video.caption import Captions, _wrapped
from pixforge.builtin.exporters.video.curve import LossCurve
from pixforge.builtin.exporters.video.exporter import Video
from pixforge.builtin.exporters.video.timeline import VideoConfig
from pixforge.contracts import StepReport
from pixforge.contracts.film import Film
from pixforge.contracts.report import HostCopy
from pixforge.errors import InputError
from pixforge.media.ffmpeg import convert

FILM = Film(fps=10, steps_per_frame=2, first_frame_steps=1)
SCENES = """
seed: 7
prompts:
- {text: a red fox, weight: {during: [0, 6], fade_out: 2, value: 1}}
- {text: a blue whale, weight: {during: [4, 11], fade_in: 2, value: 1}}
"""


def record(output, report, exporter_type, config):
    made = exporter_type(config, output)
    for step in range(output.steps + 1):
        made.write(report(step, output))
    made.close()
    return [output.folder / name for name in made.files()]


def blue(found):
    return [int(frame[: frame.shape[0] // 2, :, 2].mean()) for frame in found]


@pytest.mark.parametrize("format_", ["mp4", "webm", "gif", "apng"])
@pytest.mark.parametrize(("order", "count"), [("reverse", 6), ("boomerang", 10)])
def test_orders(output, report, frames, format_, order, count):
    made = replace(output(steps=11), film=FILM)
    path = record(made, report, FilmVideo, FilmConfig(format=format_, order=order))[0]
    line = blue(frames(path))
    assert len(line) == count
    if order == "reverse":
        assert line == sorted(line, reverse=True)
    else:
        assert line[:6] == sorted(line[:6])
        assert line[5:] == sorted(line[5:], reverse=True)
        assert line[-1] > line[0] + 20  # the first frame does not come twice
    assert [each.name for each in made.folder.iterdir()] == [path.name]


@pytest.mark.parametrize("format_", ["mp4", "gif"])
def test_frames_in_between_follow_what_moves(output, frames, format_):
    """A square goes to the right, 6 pixels each frame; between two frames it is halfway, not twice and pale."""
    made = replace(output(steps=11, size=(64, 48)), film=FILM)

    def report(step, output):
        image = torch.zeros(1, 3, 48, 64)
        left = 6 + 3 * step
        image[..., 16:32, left : left + 12] = 1
        return StepReport(step, output.steps, image, 0.1)

    found = frames(record(made, report, FilmVideo, FilmConfig(format=format_, interpolate=2))[0])
    assert len(found) == 12
    light = found[:, 18:30, :, 1].mean(axis=1)
    middles = (light * (np.arange(64) + 0.5)).sum(axis=1) / light.sum(axis=1)
    assert middles[:11] == pytest.approx([15 + 3 * number for number in range(11)], abs=1)
    assert light.max(axis=1).min() > 200


def test_frames_in_between_have_a_fastest_rate(output):
    made = replace(output(steps=11), film=FILM)
    with pytest.raises(InputError, match="interpolate: 10 x 8 frames per second; gif has at most 50 here"):
        FilmVideo(FilmConfig(format="gif", interpolate=8), made)


def test_a_webm_may_be_transparent(output, tmp_path):
    """33 x 21, the left third clear. ffmpeg's own decoder of VP9 leaves the alpha channel out, so libvpx reads it."""
    made = replace(output(steps=11, size=(33, 21)), film=FILM)

    def report(step, output):
        image = torch.ones(1, 4, 21, 33) * torch.tensor([1.0, 0, 0, 1])[:, None, None]
        image[:, 3, :, :11] = 0
        return StepReport(step, output.steps, image, 0.1)

    config = FilmConfig(format="webm", transparent=True, order="reverse")
    path = record(made, report, FilmVideo, config)[0]
    convert(["-c:v", "libvpx-vp9", "-i", str(path), "-pix_fmt", "rgba", str(tmp_path / "%d.png")], "x")
    found = [np.asarray(Image.open(each)) for each in sorted(tmp_path.glob("*.png"))]
    assert len(found) == 6
    assert found[3].shape == (22, 34, 4)
    assert found[3][..., :9, 3].max() < 16
    assert found[3][..., 13:, 3].min() > 240
    assert found[3][10, 20] == pytest.approx([255, 0, 0, 255], abs=12)
    with pytest.raises(ValidationError, match="transparent is for webm, not mp4"):
        FilmConfig(transparent=True)
    with pytest.raises(ValidationError, match="transparent goes without caption"):
        FilmConfig(format="webm", transparent=True, caption="{step}")


def test_flicker_becomes_less(output, frames):
    made = replace(output(steps=19), film=FILM)

    def report(step, output):
        picture = torch.full((1, 3, 24, 32), 0.5 if step % 4 == 1 else 0.6)
        return StepReport(step, output.steps, picture, 0.1)

    def jumps(**fields):
        film = frames(record(made, report, FilmVideo, FilmConfig(**fields))[0])
        assert len(film) == 10
        return float(np.abs(np.diff(film.mean(axis=(1, 2, 3))))[1:-2].max())

    assert jumps() > 20
    assert jumps(deflicker=True) < 10


def test_another_order_needs_memory_for_all_frames(output, monkeypatch):
    monkeypatch.setattr(exporter, "_MOST_BYTES", 1000)
    with pytest.raises(InputError, match=r"order: reverse: 80 frames of 32 x 24 need .* GiB of memory"):
        Video(VideoConfig(order="reverse", fps=10), output())


@pytest.mark.parametrize(
    ("site", "size", "fps"),
    [("instagram-portrait", (1080, 1350), 30), ("tiktok", (1080, 1920), 30), ("x", (1280, 720), 30)],
)
def test_sites_get_their_size_and_rate(output, report, frames, site, size, fps):
    made = replace(output(steps=3, size=(32, 32)), film=FILM)
    found = frames(record(made, report, FilmVideo, FilmConfig(site=site))[0])
    assert found.shape[1:3] == size[::-1]
    assert len(found) == 2 * fps / 10
    corner, middle = found[0][2, 2], found[0][size[1] // 2, size[0] // 2]
    assert corner.max() < 20  # a black bar
    assert middle.max() > 150


def test_a_site_in_another_order(output, report, frames):
    made = replace(output(steps=3, size=(32, 32)), film=FILM)
    found = frames(record(made, report, FilmVideo, FilmConfig(site="x", order="reverse"))[0])
    assert found.shape == (6, 720, 1280, 3)


def test_a_caption_says_the_strongest_prompt_the_step_and_the_seed(output):
    made = replace(output(steps=11, recipe=SCENES), film=FILM)
    captions = Captions("{prompt}, step {step} of {steps}, seed {seed}, {second} s, frame {frame}", made)
    assert captions._text(3) == "a red fox, step 3 of 11, seed 7, 0.1 s, frame 1"
    assert captions._text(11) == "a blue whale, step 11 of 11, seed 7, 0.5 s, frame 5"
    frame = np.zeros((24, 64, 3), np.uint8)
    shapes = {captions.below(frame, step).shape for step in range(12)}
    assert len(shapes) == 1  # whatever the words
    bar = captions.below(frame, 3)[24:]
    assert bar.max() == 255
    assert bar.min() < 100
    assert not np.array_equal(bar, captions.below(frame, 11)[24:])


def test_a_caption_that_is_too_long_ends_with_dots():
    def fits(text):
        return len(text) <= 12

    assert _wrapped("one two three", fits) == ["one two", "three"]
    lines = _wrapped("twelveletter " * 5, fits)
    assert lines == ["twelveletter"] * 3 + ["twelvele ..."]
    assert _wrapped("a b c d e f", lambda text: len(text) <= 1)[-1] == "."


def test_a_caption_of_a_scene_with_a_curve(output):
    """The weight counts as 1 while the scene lasts, since a caption knows no curves."""
    fox = SCENES.replace("fade_out: 2, value: 1", "value: {wave: sine, low: 0, high: 9}")
    captions = Captions("{prompt}", replace(output(steps=11, recipe=fox), film=FILM))
    assert (captions._text(5), captions._text(11)) == ("a red fox", "a blue whale")


@pytest.mark.parametrize("format_", ["mp4", "gif"])
def test_a_caption_is_in_the_video_below_the_picture(output, report, frames, format_):
    made = replace(output(steps=3, size=(64, 24), recipe=SCENES), film=FILM)
    found = frames(record(made, report, FilmVideo, FilmConfig(format=format_, caption="{prompt}"))[0])
    assert found.shape[1] > 24 + 10
    assert found[0][24:].max() > 240


def test_mistakes():
    with pytest.raises(ValidationError, match=r"a caption knows no \{title\} \(known: \{prompt\}"):
        VideoConfig(caption="{title}")
    with pytest.raises(ValidationError, match="tiktok wants mp4, not gif"):
        VideoConfig(format="gif", site="tiktok")


def test_a_contact_sheet_shows_the_run_from_its_first_to_its_last(output, report):
    path = record(output(steps=40), report, ContactSheet, ContactSheetConfig(count=5, columns=2, width=16))[0]
    with Image.open(path) as image:
        assert image.size == (32, 36)
        page = np.asarray(image.convert("RGB")).astype(int)
    line = [page[6 + 12 * (index // 2), 8 + 16 * (index % 2), 2] for index in range(5)]
    assert np.abs(np.array(line) - [0, 64, 128, 191, 255]).max() < 12
    assert page[30, 24].min() > 240  # an empty place is white


def test_a_contact_sheet_of_a_film_shows_frames_and_goes_on(output, report):
    made = replace(output(steps=11), film=FILM)
    whole = record(made, report, ContactSheet, ContactSheetConfig(count=3))[0].read_bytes()
    first = ContactSheet(ContactSheetConfig(count=3), made)
    for step in range(7):
        first.write(report(step, made))
    again = ContactSheet(ContactSheetConfig(count=3), made)
    again.resume(first.state(), report(6, made))
    for step in range(7, 12):
        again.write(report(step, made))
    again.close()
    assert (made.folder / "contact-sheet.jpg").read_bytes() == whole


def test_every_nth_frame_of_a_film_is_a_picture(output, report):
    made = replace(output(steps=11, recipe="prompts: [a]"), film=FILM)
    paths = record(made, report, Still, StillConfig(format="jpeg", every_frame=2))
    assert [path.name for path in paths] == ["image.jpg"] + [f"image-frame-{n:05d}.jpg" for n in (0, 2, 4)]
    with Image.open(paths[2]) as image:  # frame 2 is done after 5 of 11 steps
        assert image.getpixel((5, 5))[2] == pytest.approx(255 * 5 / 11, abs=6)
    with pytest.raises(InputError, match="every_frame counts frames of a film"):
        Still(StillConfig(every_frame=2), output())


class Counted(StepReport):
    """Counts how often its losses are asked for."""

    reads: ClassVar = Counter()

    @property
    def losses(self):
        Counted.reads[self.step] += 1
        return {"total": float(self.values.get())}


def counted(step, value):
    return Counted(step, 12, torch.zeros(1, 3, 64, 64), 0.1, ("total",), HostCopy(torch.tensor(value)))


def test_the_loss_curve_reads_each_report_once_and_draws_the_same_after_a_stop(output):
    made = output(steps=12)
    losses = [9.0, 8, 7, float("nan"), 6, 5, 8, 4, 3, 2, 2, 1]
    frame = np.zeros((64, 64, 3), np.uint8)

    def told(curve, steps):
        for step in steps:
            curve.add(counted(step, losses[step - 1]))
            if step % 2 == 0:
                yield curve.beside(frame, step)

    Counted.reads.clear()
    whole = list(told(LossCurve(made), range(1, 13)))
    assert Counted.reads == dict.fromkeys(range(1, 13), 1)
    begun = LossCurve(made)
    first = list(told(begun, range(1, 8)))
    resumed = LossCurve(made)
    resumed.load_state(begun.state())
    rest = list(told(resumed, range(8, 13)))
    assert Counted.reads == dict.fromkeys(range(1, 13), 2)
    assert all(np.array_equal(*pair) for pair in zip(whole, first + rest, strict=True))
    assert len({each.tobytes() for each in whole}) == 6


def test_the_loss_curve_of_a_frame_ends_at_its_step_though_the_run_is_further(output):
    def drawn(known):
        curve = LossCurve(output(steps=4))
        for step in range(1, known + 1):
            curve.add(counted(step, 9.0 - step))
        return curve.beside(np.zeros((64, 64, 3), np.uint8), 2)

    assert np.array_equal(drawn(2), drawn(4))
    assert not np.array_equal(drawn(1), drawn(2))
