"""`pixforge collage`: pictures and videos side by side."""

import numpy as np
import pytest
from PIL import Image

from pixforge.builtin.exporters.video.formats import write_video
from pixforge.cli.main import main
from pixforge.media.video import frames


def solid(color, size=(32, 24)):
    return np.full((size[1], size[0], 3), color, np.uint8)


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(solid((255, 0, 0))).save("red.png")
    write_video([solid((0, 0, 20 * n)) for n in range(10)], 10, "mp4", tmp_path / "blue.mp4")
    (tmp_path / "run").mkdir()
    write_video([solid((0, 20 * n, 0)) for n in range(5)], 20, "webm", tmp_path / "run" / "film.webm")
    Image.fromarray(solid((0, 0, 0))).save("run/image.png")
    return tmp_path


def test_pictures_on_one_page(made):
    assert main(["collage", "red.png", "blue.mp4", "run", "-o", "c.png", "--gap", "2", "--columns", "3"]) == 0
    with Image.open("c.png") as image:
        assert image.size == (3 * 34 + 2, 28)
        colors = [image.getpixel((x, 14)) for x in (1, 18, 52, 86)]
    assert colors[0] == (255, 255, 255)
    assert colors[1] == (255, 0, 0)
    assert colors[2][2] > 150  # the last frame of the video
    assert colors[3] == (0, 0, 0)  # the picture of the run


def test_videos_play_side_by_side_at_one_rate_and_hold_their_ends(made):
    assert main(["collage", "blue.mp4", "run", "red.png", "-o", "c.mp4", "--labels"]) == 0
    found = list(frames("c.mp4"))
    assert len(found) == 10  # as the longest, at the rate of the first
    blue = [int(frame[12, 16, 2]) for frame in found]
    green = [int(frame[12, 48, 1]) for frame in found]
    assert blue == sorted(blue)
    assert blue[-1] > 150
    assert max(green) - green[-1] < 10  # a quarter of a second, then its last frame
    assert found[5][24 + 20 + 12, 16, 0] > 200
    assert found[0].shape == (2 * 44, 64, 3)


def test_a_gif(made):
    assert main(["collage", "blue.mp4", "red.png", "-o", "c.gif"]) == 0
    assert len(list(frames("c.gif", 10))) == 10


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["red.png", "-o", "c.mp4"], "a video needs at least one video among the files"),
        (["none.png", "-o", "c.png"], "none.png: there is no such file"),
        (["red.png", "-o", "c.txt"], "the name ends in .png"),
        (["empty", "-o", "c.png"], "empty: has no picture and no video in it"),
        (["broken.mp4", "-o", "c.mp4"], "broken.mp4: is damaged or cut short"),
        (
            ["red.png", "-o", "c.png", "--width", "4096", "--columns", "1", *["red.png"] * 9],
            "smaller --width",
        ),
    ],
)
def test_mistakes_are_one_line(made, capsys, arguments, line):
    (made / "empty").mkdir()
    (made / "broken.mp4").write_bytes((made / "blue.mp4").read_bytes()[:300])
    assert main(["collage", *arguments]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
    assert not (made / arguments[arguments.index("-o") + 1]).exists()
