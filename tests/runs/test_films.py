"""Films: frames after all their steps, edits between two frames, and going on after a stop as if there had been none."""

import signal
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from stopper import Stopper

import pixforge
from pixforge.media.video import frames
from pixforge.runs.events import Frame, Step

PLUGIN = """
from typing import Literal

import pixforge
from pixforge.testing import pixforge_perceptors


class SquareConfig(pixforge.EditConfig):
    type: Literal["square"] = "square"


class Square(pixforge.Edit[SquareConfig]):
    def forward(self, images, step):
        changed = images.clone()
        changed[..., :8, :8] = 1
        return changed


@pixforge.hookimpl
def pixforge_edits():
    return [Square]
"""
FILM = {"fps": 5, "steps_per_frame": 2, "first_frame_steps": 3}
TWO = [{"seconds": 1, "prompts": ["red"]}, {"seconds": 1, "fade": 0.4, "prompts": ["blue"]}]
MOVING = {"fps": 6, "steps_per_frame": 2, "first_frame_steps": 40}
LONG = [{"seconds": 2, "prompts": ["red"]}, {"seconds": 3, "fade": 1, "prompts": ["blue"]}]


@pytest.fixture
def recipe():
    Path("more.py").write_text(PLUGIN)

    def make(**fields):
        base = {
            "film": FILM,
            "seed": 3,
            "size": [32, 32],
            "generator": "pixels",
            "init": "noise",
            "perceptors": ["fake"],
            "cutouts": {"type": "random", "count": 3},
            "augmentations": ["noise"],
            "losses": [],
            "optimizer": {"learning_rate": 0.2},
            "exporters": ["still", {"type": "film", "format": "apng"}],
            "plugins": ["more.py"],
        }
        return pixforge.load_recipe({**base, **fields})

    return make


def test_a_frame_is_the_picture_after_all_its_steps(recipe):
    run = pixforge.start(recipe(scenes=TWO), "out")
    shown, last = [], None
    for event in run:
        last = event if isinstance(event, Step) else last
        if isinstance(event, Frame):
            assert event.report is last.report
            shown.append(event.report.pixels[0])
    found = [frame[..., :3] for frame in frames(Path("out/film.png"))]
    assert len(found) == len(shown) == 10
    assert all(np.array_equal(*pair) for pair in zip(found, shown, strict=True))
    blue = [float(each[..., 2].mean()) - float(each[..., 0].mean()) for each in shown]
    assert blue[4] < blue[0] - 20  # the first scene is red
    assert blue[9] > blue[6] + 5  # and the second one blue


def test_an_edit_comes_after_a_frame_and_shows_in_the_next_one(recipe):
    made = recipe(prompts=["red"], steps=9, edits=[{"type": "square", "every": 2}])
    corners = [float(report.image[0, :, :8, :8].min()) for report in pixforge.optimize(made)]
    ends = [corners[made.film.end(frame) - 1] for frame in range(4)]
    white = [step for step, each in enumerate(corners, 1) if each > 0.5]
    # Frames 1 and 3 are followed by the edit; what is saved for them has not been touched yet.
    assert ends[0] < 0.5 and ends[1] < 0.5  # noqa: PT018
    assert white[0] == made.film.end(1) + 1


def seam(recipe):
    """The step from the last frame to the first, and the largest of the others, each by the median of these."""
    images = [each.image for each in pixforge.optimize(recipe) if recipe.film.frame(each.step) is not None]
    between = [float((a - b).abs().mean()) for a, b in pairwise(images)]
    usual = median(between)
    return float((images[-1] - images[0]).abs().mean()) / usual, max(between) / usual


@pytest.mark.parametrize(
    ("generator", "edits"),
    [
        ("fourier", []),
        ("pixels", [{"type": "camera", "zoom": 1.4, "rotate": 10}]),
        ("pixels", [{"type": "feedback", "zoom": 1.1}]),
        ("fourier", [{"type": "feedback", "delay": 3, "mode": "lighten"}]),
    ],
)
def test_a_loop_closes_without_a_seam(recipe, generator, edits):
    fields = {"generator": generator, "scenes": LONG, "film": MOVING, "edits": edits}
    open_, _ = seam(recipe(**fields))
    closed, largest = seam(recipe(loop=True, **fields))
    assert closed <= 1.2
    assert open_ > 7
    assert largest < open_ / 2


def test_a_loop_without_scenes_closes_too(recipe):
    film = {"film": MOVING, "prompts": ["red"], "steps": 100, "edits": [{"type": "camera", "zoom": 1.4}]}
    assert seam(recipe(**film))[0] > 2
    assert seam(recipe(loop=True, **film))[0] <= 1.2


def test_a_way_of_which_a_share_is_taken_closes_too(recipe):
    way = {"type": "travel", "stops": [3, 2], "share": 0.3, "loop": True}
    film = {"film": MOVING, "prompts": ["red"], "steps": 100, "generator": "fourier", "edits": [way]}
    assert seam(recipe(loop=False, **film))[0] > 2
    assert seam(recipe(**film))[0] <= 1.2


def test_videos_of_films_have_the_length_and_the_rate(recipe):
    from pixforge.media.ffmpeg import seconds_of

    made = recipe(scenes=TWO, exporters=[{"type": "film", "format": "mp4"}])
    pixforge.render(made, "out")
    assert len(list(frames("out/film.mp4"))) == 10
    assert seconds_of(Path("out/film.mp4")) == pytest.approx(2)


@pytest.mark.parametrize("generator", ["pixels", "fourier"])
@pytest.mark.parametrize("step", [5, 14, 20])
def test_a_stop_in_the_middle_changes_nothing(recipe, generator, step):
    camera = {"type": "camera", "zoom": 1.2, "rotate": {"0%": 0, "100%": 20}, "flight": 1}
    made = recipe(scenes=TWO, loop=True, generator=generator, edits=["square", camera])
    whole = pixforge.render(made, "whole")
    assert pixforge.render(made, "cut", progress=Stopper(step)).signal == signal.SIGINT
    again = pixforge.resume("cut")
    assert np.array_equal(*(np.asarray(each.images[0]) for each in (again, whole)))
    assert Path("cut/film.png").read_bytes() == Path("whole/film.png").read_bytes()


def test_the_curve_of_the_loss_is_beside_the_picture_and_survives_a_stop(recipe):
    films = [{"type": "film", "format": "apng", "loss_curve": True}]
    made = recipe(scenes=TWO, exporters=films, checkpoint={"every": 4})
    pixforge.render(made, "whole")
    assert pixforge.render(made, "cut", progress=Stopper(14)).signal == signal.SIGINT
    pixforge.resume("cut")
    assert Path("cut/film.png").read_bytes() == Path("whole/film.png").read_bytes()
    found = list(frames("whole/film.png"))
    assert found[0].shape[:2] == (32, 64)
    red = [np.flatnonzero((frame[:, 32:, 0] > 150) & (frame[:, 32:, 2] < 80)) % 32 for frame in found]
    ends = [int(each.max()) for each in red]  # how far the curve has come
    assert ends == sorted(ends)
    assert ends[0] < 10
    assert ends[-1] > 24


def test_a_branch_goes_on_in_the_middle_of_a_scene(recipe):
    made = recipe(scenes=TWO)
    pixforge.render(made, "cut", progress=Stopper(8))
    branch = pixforge.resume("cut", {"prompts.1.text": "green"}, out="branch")
    image = np.asarray(branch.images[0]).reshape(-1, 3).mean(0)
    assert image[1] > image[2]
    assert len(list(frames("branch/film.png"))) == 7
