"""Films over a video: its frames by number, its motion, and the drawing that follows it."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pixforge
from pixforge.builtin.edits.footage.flow import carried, flow, known
from pixforge.builtin.exporters.video.formats import write_video
from pixforge.contracts.film import Film
from pixforge.errors import ImageError, InputError
from pixforge.media.footage import Footage
from pixforge.runs.events import Frame

FILM = {
    "film": {"fps": 10, "steps_per_frame": 1, "first_frame_steps": 1},
    "prompts": ["red"],
    "plugins": ["fake.py"],
    "perceptors": ["fake"],
    "seed": 1,
    "size": 32,
    "steps": 5,
    "generator": "pixels",
    "init": {"type": "video", "video": "v.mp4"},
    "augmentations": [],
    "losses": [],
    "cutouts": {"count": 2},
    "exporters": ["still"],
}


def gray(level, size=(32, 32)):
    return np.full((size[1], size[0], 3), level, np.uint8)


def texture(width=64, height=48):
    """Something with structure at every place."""
    y, x = np.mgrid[:height, :width]
    waves = np.sin(x / 3.1) + np.sin(y / 2.7) + np.sin((x + 2 * y) / 5.3)
    return (127 + 40 * waves).clip(0, 255).astype(np.uint8)[..., None].repeat(3, axis=-1)


def levels(footage, count):
    return [round(float(footage.picture(number).mean()) * 255 / 20) for number in range(count)]


@pytest.fixture
def video(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("fake.py").write_text("from pixforge.testing import pixforge_perceptors\n")
    write_video([gray(20 * number) for number in range(10)], 10, "mp4", Path("v.mp4"))
    return Path("v.mp4")


def test_frames_by_number_at_the_rate_of_the_film(video):
    assert levels(Footage(video, (32, 32), 10, 10), 10) == list(range(10))
    assert levels(Footage(video, (32, 32), 20, 20), 20)[::2] == list(
        range(10)
    )  # a faster film shows each twice
    assert levels(Footage(video, (32, 32), 10, 10, stride=3), 5) == [0, 3, 6, 9, 9]  # the last one stays
    assert levels(Footage(video, (32, 32), 4, 10), 6) == [0, 1, 2, 3, 3, 3]


def test_pictures_of_a_folder_are_taken_in_the_order_of_their_numbers(tmp_path):
    for number in (1, 2, 9, 10, 11):
        Image.fromarray(gray(20 * number, (33, 21))).save(tmp_path / f"f{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    assert levels(Footage(tmp_path / "f2.png", (32, 32), 9, 10), 4) == [2, 9, 10, 11]
    assert levels(Footage(tmp_path / "f1.png", (32, 32), 9, 10, stride=2), 3) == [1, 9, 11]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("v.mp4", None, "damaged or cut short"),
        ("v.txt", b"hello", "is no video"),
        ("v.png", b"hello", "is not a picture that can be read"),
        ("v.gif", b"GIF89a", "damaged or cut short|has no frames"),
    ],
)
def test_what_is_no_video_is_one_line(video, name, content, message):
    Path(name).write_bytes(video.read_bytes()[:900] if content is None else content)
    with pytest.raises(ImageError, match=message) as caught:
        Footage(Path(name), (32, 32), 10, 10)
    assert "\n" not in str(caught.value)
    with pytest.raises(ImageError, match="limit is 4; make the film shorter"):
        Footage(video, (4096, 4096), 1000, 10)


def test_flow_finds_how_far_a_picture_has_moved():
    whole = texture()
    old, new = whole[4:36, 8:40], whole[3:35, 5:37]  # moved 3 to the right and 1 down
    found = flow(new, old)
    assert found.shape == (1, 2, 32, 32)
    assert found[0, :, 4:-4, 4:-4].median(-1)[0].median(-1)[0].tolist() == pytest.approx([-3, -1], abs=0.1)
    images = torch.from_numpy(old.copy()).permute(2, 0, 1)[None] / 255
    moved, seen = carried(images, old, new, occlusion=True)
    wanted = torch.from_numpy(new.copy()).permute(2, 0, 1)[None] / 255
    inside = (slice(None), slice(None), slice(5, -5), slice(5, -5))
    assert (moved - wanted)[inside].abs().mean() < 0.02
    assert seen[inside].mean() > 0.95
    assert seen[..., 8:24, 0].mean() < 0.7  # what came in from the left was not there before


def test_a_place_is_known_when_going_back_and_forth_leads_to_it():
    back, forth = torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)
    back[0, 0, 0, 1], forth[0, 0, 0, 0] = -1, 1  # there and back
    back[0, 0, 2, 2] = -2  # where it leads to, nothing moves
    back[0, 1, 3, 3] = 1  # outside
    expected = torch.ones(4, 4)
    expected[0, 0] = 0  # what was here has gone to the right
    expected[2, 2] = expected[3, 3] = 0
    assert torch.equal(known(back, forth)[0, 0], expected)


def test_each_frame_starts_from_the_video_and_the_one_before(video):
    def shown(blend):
        edit = {"type": "video", "video": "v.mp4", "blend": blend, "flow": False}
        recipe = pixforge.load_recipe({**FILM, "edits": [edit], "optimizer": {"learning_rate": 1e-6}})
        found = [
            event.report.image.mean() * 255 / 20
            for event in pixforge.start(recipe)
            if isinstance(event, Frame)
        ]
        return [float(each) for each in found]

    assert shown(0) == pytest.approx([0, 1, 2, 3, 4], abs=0.1)
    assert shown(0.5) == pytest.approx([0, 0.5, 1.25, 2.125, 3.0625], abs=0.1)


def test_a_stop_in_the_middle_changes_nothing(video):
    from stopper import Stopper

    edit = {"type": "video", "video": "v.mp4"}
    loss = {"type": "target", "video": "v.mp4", "weight": 5}
    recipe = pixforge.load_recipe({**FILM, "edits": [edit], "losses": [loss], "steps": 8})
    whole = pixforge.render(recipe, "whole")
    pixforge.render(recipe, "cut", progress=Stopper(4))
    again = pixforge.resume("cut")
    assert np.array_equal(*(np.asarray(each.images[0]) for each in (again, whole)))


def test_the_target_is_that_of_the_frame(video):
    assert [Film(steps_per_frame=2, first_frame_steps=3).making(step) for step in range(8)] == [
        0,
        0,
        0,
        1,
        1,
        2,
        2,
        3,
    ]
    loss = {"type": "target", "video": "v.mp4", "stride": 2}
    recipe = pixforge.load_recipe({**FILM, "losses": [loss], "optimizer": {"learning_rate": 1e-6}})
    found = [report.losses["target"] for report in pixforge.optimize(recipe)]
    assert found == pytest.approx([(40 * number / 255) ** 2 for number in range(5)], abs=0.01)


def test_mistakes_are_one_line(video, monkeypatch, caplog):
    edit = {"type": "video", "video": "v.mp4", "flow": False}
    with pytest.raises(InputError, match="edits: video needs `film:`"):
        pixforge.render(pixforge.load_recipe({**FILM, "film": None, "edits": [edit]}), "a")
    target = {"type": "target", "video": "v.mp4"}
    with pytest.raises(InputError, match="target: video needs `film:`"):
        pixforge.render(pixforge.load_recipe({**FILM, "film": None, "losses": [target]}), "b")
    with pytest.raises(InputError, match="`fit: stretch` is for `image` alone"):
        pixforge.load_recipe({**FILM, "losses": [{**target, "fit": "stretch"}]})
    with pytest.raises(InputError, match="either `image` or `video`"):
        pixforge.load_recipe({**FILM, "losses": [{"type": "target", "video": "v.mp4", "image": "v.mp4"}]})
    pixforge.render(pixforge.load_recipe({**FILM, "steps": 12, "edits": [edit]}), "c")
    assert "v.mp4 has 10 frames for the 12 of the film; its last one stays" in caplog.text
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=r'pip install "pixforge\[video\]", or write flow: false'):
        pixforge.render(pixforge.load_recipe({**FILM, "edits": [{"type": "video", "video": "v.mp4"}]}), "d")
