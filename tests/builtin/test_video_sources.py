"""Videos that a film looks for, and masks that move."""

import signal
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from PIL import Image
from stopper import Stopper

import pixforge
from pixforge.builtin.exporters.video.formats import write_video
from pixforge.errors import ImageError, InputError
from pixforge.media.footage import Footage

FILM = {
    "film": {"fps": 10, "steps_per_frame": 2, "first_frame_steps": 2},
    "prompts": ["red"],
    "plugins": ["fake.py"],
    "perceptors": ["fake"],
    "seed": 1,
    "size": 32,
    "steps": 10,
    "generator": "pixels",
    "init": "noise",
    "augmentations": [],
    "losses": [],
    "cutouts": {"count": 3},
    "optimizer": {"learning_rate": 0.3},
    "exporters": [{"type": "film", "format": "apng"}],
}


def plain(color, size=(32, 32)):
    return np.full((size[1], size[0], 3), color, np.uint8)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("fake.py").write_text("from pixforge.testing import pixforge_perceptors\n")


@pytest.fixture
def masks():
    """Four columns are inside, in each frame the next ones."""
    Path("masks").mkdir()
    for number in range(5):
        mask = np.zeros((32, 32), np.uint8)
        mask[:, 4 * number : 4 * number + 4] = 255
        Image.fromarray(mask).save(f"masks/{number}.png")
    Image.new("RGB", (32, 32), "white").save("white.png")
    return "masks/0.png"


def frames_of(recipe):
    for report in pixforge.optimize(recipe):
        if recipe.film.frame(report.step) is not None:
            yield report.pixels[0]


@pytest.mark.parametrize("layout", [False, True])
def test_each_frame_looks_for_its_frame_of_the_video(layout):
    write_video([plain((220, 0, 0))] * 3 + [plain((0, 0, 220))] * 3, 10, "mp4", Path("v.mp4"))
    film = {"fps": 10, "steps_per_frame": 3, "first_frame_steps": 3}
    recipe = {**FILM, "film": film, "steps": 18, "prompts": [{"video": "v.mp4", "layout": layout}]}
    pictures = list(frames_of(pixforge.load_recipe(recipe)))
    blue = [float(each[..., 2].mean()) - float(each[..., 0].mean()) for each in pictures]
    assert blue[2] < -20
    assert blue[5] > blue[2] + 20


def test_a_mask_may_move(masks):
    recipe = pixforge.load_recipe({**FILM, "keep": {"image": "white.png", "where": {"video": masks}}})
    for number, picture in enumerate(frames_of(recipe)):
        kept = (picture == 255).all(axis=(0, 2)).nonzero()[0]
        assert list(kept) == list(range(4 * number, 4 * number + 4))


def test_an_edit_changes_nothing_outside_the_mask_of_the_next_frame(masks):
    overlay = {"type": "overlay", "image": "white.png", "opacity": 1, "where": {"video": masks}}
    made = pixforge.load_recipe({**FILM, "edits": [overlay], "optimizer": {"learning_rate": 1e-6}})
    for number, picture in enumerate(frames_of(made)):
        bright = (picture > 240).all(axis=(0, 2)).nonzero()[0]
        assert list(bright) == list(range(4, 4 * number + 4))


def test_a_frame_without_anything_inside_is_no_mistake(masks):
    Image.new("L", (32, 32)).save("masks/2.png")
    prompts = ["red", {"text": "blue", "where": {"video": masks}}]
    assert len(list(frames_of(pixforge.load_recipe({**FILM, "prompts": prompts})))) == 5


@pytest.mark.parametrize("step", [3, 6])
def test_a_stop_in_the_middle_changes_nothing(masks, step):
    prompts = ["red", {"text": "blue", "where": {"video": masks}}, {"video": masks, "layout": True}]
    made = pixforge.load_recipe({**FILM, "prompts": prompts})
    pixforge.render(made, "whole")
    assert pixforge.render(made, "cut", progress=Stopper(step)).signal == signal.SIGINT
    pixforge.resume("cut")
    assert Path("cut/film.png").read_bytes() == Path("whole/film.png").read_bytes()


def test_a_changed_picture_of_a_row_is_refused(masks):
    pixforge.render(pixforge.load_recipe({**FILM, "prompts": [{"video": masks}]}), "whole")
    pixforge.load_recipe("whole/recipe.yaml")
    Image.new("L", (32, 32), 99).save("masks/3.png")
    with pytest.raises(
        InputError, match=r"masks/0\.png and what follows it.* not .* that the recipe was made with"
    ):
        pixforge.load_recipe("whole/recipe.yaml")


def test_without_a_film_there_is_one_line(masks):
    still = {key: each for key, each in FILM.items() if key not in {"film", "exporters"}}
    for fields in (
        {"prompts": [{"video": masks}]},
        {"keep": {"image": "white.png", "where": {"video": masks}}},
    ):
        with pytest.raises(InputError, match="needs `film:`"):
            list(pixforge.optimize(pixforge.load_recipe({**still, **fields})))


def test_a_video_that_is_broken_in_the_middle_is_found_before_the_run():
    noise = np.random.default_rng(0).integers(0, 255, (200, 24, 32, 3), dtype=np.uint8)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "32x24", "-r", "10", "-i", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *raw, "-c:v", "libx264", "-g", "5", "a.mkv"]
    subprocess.run(command, input=noise.tobytes(), check=True)
    data = bytearray(Path("a.mkv").read_bytes())
    half = len(data) // 2
    data[half : half + 600] = bytes(range(7, 207)) * 3
    Path("a.mkv").write_bytes(bytes(data))
    with pytest.raises(ImageError, match="damaged"):
        Footage(Path("a.mkv"), (32, 24), 1000, 10)


def test_complaints_about_files_say_no_more_than_what_is_wrong():
    noise = np.random.default_rng(0).integers(0, 255, (9, 32, 32, 3), dtype=np.uint8)
    write_video(list(noise), 5, "mp4", Path("silent.mp4"))
    whole = Path("silent.mp4").read_bytes()
    Path("cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageError) as video:
        Footage(Path("cut.mp4"), (32, 32), 4, 5)
    assert "encoder" not in str(video.value)
    curve = {"audio": "silent.mp4"}
    with pytest.raises(InputError, match=r"silent\.mp4: has no sound in it; .* can be read$"):
        pixforge.load_recipe({**FILM, "prompts": [{"text": "a", "weight": curve}]})


def test_cutouts_are_shown_and_judged_with_the_masks_of_their_step(masks):
    """In the picture the four columns of frame 3 are red; the mask of that frame holds them, and no other does."""
    from pixforge.contracts import Region
    from pixforge.engine.build import build
    from pixforge.engine.looking import cutouts_of
    from pixforge.engine.prompts import prompt_similarity

    made = pixforge.load_recipe({**FILM, "prompts": [{"text": "red", "where": {"video": masks}}], "steps": 8})
    session = build(made)
    picture = torch.zeros(1, 3, 32, 32)
    picture[:, 0, :, 12:16] = 1
    cutouts_of(session, 7)
    assert session.masks.box(Region(video=masks), 32, 32) == (12, 0, 16, 32)
    perceptor, context = session.groups[0].perceptor, session.context
    found = [
        prompt_similarity(perceptor, each, made, context)[0] for each in (picture, picture.roll(4, dims=-1))
    ]
    assert found[0] > found[1] + 0.1
